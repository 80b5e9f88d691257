"""What a resource is in memory."""

from typing import Any

# The same shape as liaison.fhir.store.contract.Tree, named here too because the store imports the model.
Tree = dict[str, Any]
