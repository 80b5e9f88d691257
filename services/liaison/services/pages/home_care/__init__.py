"""The home-care aide's desk: Aujourd'hui and Visite, in the fixed words. The phone without network comes over the same
form and the same filing."""
