"""Software: what administrators and the DPO decide about vendors' clients, and the page where a vendor follows its own."""
