// Nothing is sent before « Enregistrer la visite ». Without this script the form works; two of its buttons are then hidden.
import { usable } from "./visit_form.js";

usable(document.getElementById("visite"));
