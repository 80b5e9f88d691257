"""How resources are put into words for people: identities, short sentences, tables of measures. Pure; no I/O."""
