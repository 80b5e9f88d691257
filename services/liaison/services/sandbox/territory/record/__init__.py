"""What a patient's record holds, one module per kind of content. Each function writes into a `Record`."""
