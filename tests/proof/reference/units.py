"""What UCUM says of the units that the reference evaluator knows: tables, written by hand."""

from fractions import Fraction

# UCUM units of the given data and some beside them: what they measure, and how many of the first of their kind they are.
UNITS: dict[str, tuple[str, Fraction]] = {
    code: (kind, Fraction(size))
    for kind, sizes in {
        "concentration": {"g/L": "1", "g/dL": "10", "mg/dL": "1/100", "mg/L": "1/1000", "ug/mL": "1/1000"}
        | {"ug/L": "1/1000000", "ng/mL": "1/1000000", "pg/mL": "1/1000000000", "kg/m3": "1"},
        "length": {"m": "1", "cm": "1/100", "mm": "1/1000", "[in_i]": "254/10000"},
        "mass": {"kg": "1", "g": "1/1000", "pg": "1/1000000000000000", "mg": "1/1000000"},
        "volume": {"L": "1", "fL": "1/1000000000000000", "mL": "1/1000", "dm3": "1"},
        "activity": {"kU/L": "1000", "U/L": "1"},
        "pressure": {"mm[Hg]": "133322/1000", "kPa": "1000", "Pa": "1"},
        # A mole is a number (UCUM § 41), so that these are of one kind: how many there are in a microlitre.
        "count": {"10*3/uL": "1000", "10*6/uL": "1000000", "10*9/L": "1000"}
        | {"mol/L": "602214076000000000", "mmol/L": "602214076000000", "umol/L": "602214076000"},
        "flow": {"mL/min": "1", "mL/min/{1.73_m2}": "1", "L/min": "1000"},
        "number": {"%": "1/100", "{score}": "1", "{nominal}": "1", "{INR}": "1", "1": "1", "mg/g": "1/1000"},
        "rate": {"/min": "1", "Hz": "60"},
        "time": {"s": "1", "min": "60", "ms": "1/1000"},
        # Each the only one of its kind here: a scale, kilograms for a square metre, an acidity, a picohenry.
        "temperature": {"Cel": "1"},
        "cover": {"kg/m2": "1"},
        "acidity": {"[pH]": "1"},
        "inductance": {"pH": "1"},
    }.items()
    for code, size in sizes.items()
}

# Each kind in base units of UCUM, and how many of these its first unit is: what quantities are ordered by.
_MOLE = 602214076 * 10**15
BASES: dict[str, tuple[str, Fraction]] = {
    "concentration": ("g.m-3", Fraction(1000)),
    "length": ("m", Fraction(1)),
    "mass": ("g", Fraction(1000)),
    "volume": ("m3", Fraction(1, 1000)),
    "activity": ("m-3.s-1", Fraction(_MOLE, 10**6 * 60) * 1000),
    "pressure": ("g.m-1.s-2", Fraction(1000)),
    "count": ("m-3", Fraction(10**9)),
    "flow": ("m3.s-1", Fraction(1, 10**6 * 60)),
    "number": ("1", Fraction(1)),
    "rate": ("s-1", Fraction(1, 60)),
    "time": ("s", Fraction(1)),
    "temperature": ("K", Fraction(1)),
    "cover": ("g.m-2", Fraction(1000)),
    "acidity": ("[pH]", Fraction(1)),
    "inductance": ("C-2.g.m2", Fraction(1)),
}
