"""UCUM units as exact factors."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.definitions import units
from liaison.fhir.definitions.units import conversion, unit


@pytest.mark.parametrize(
    ("one", "other", "slope", "shift"),
    [
        ("mg", "ug", 1000, 0),
        ("kg", "[lb_av]", Fraction(100_000_000, 45_359_237), 0),
        ("mg/dL", "g/L", Fraction(1, 100), 0),
        ("10*3/uL", "/L", 10**9, 0),
        ("mmol/L", "mol/m3", 1, 0),
        ("mm[Hg]", "kPa", Fraction(133322, 1_000_000), 0),
        ("cm[H2O]", "kPa", Fraction(980665, 10_000_000), 0),
        ("Cel", "K", 1, Fraction("273.15")),
        ("Cel", "[degF]", Fraction(9, 5), 32),
        ("[degF]", "Cel", Fraction(5, 9), Fraction(-160, 9)),
        ("[degRe]", "Cel", Fraction(5, 4), 0),
        ("[mi_us]", "km", Fraction(6336, 3937), 0),
        ("%", "1", Fraction(1, 100), 0),
        ("g/(8.h)", "g/h", Fraction(1, 8), 0),
        ("mL/min/{1.73_m2}", "mL/min", 1, 0),
        ("{score}", "1", 1, 0),
        ("U/L", "kU/L", Fraction(1, 1000), 0),
        ("[IU]/mL", "[iU]/mL", 1, 0),
        ("dB", "B", Fraction(1, 10), 0),
        ("a", "d", Fraction("365.25"), 0),
        ("/min", "Hz", Fraction(1, 60), 0),
        ("m/s", "m.s-1", 1, 0),
        ("kcal", "kJ", Fraction("4.184"), 0),
        ("ug/kg/min", "mg/kg/h", Fraction(60, 1000), 0),
        ("mosm/kg", "osm/kg", Fraction(1, 1000), 0),
    ],
)
def test_units_of_one_dimension_are_converted_exactly(one: str, other: str, slope: Fraction, shift: Fraction) -> None:
    assert conversion(one, other) == (slope, shift)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mg", "mL"),
        ("mg/dL", "mmol/L"),  # needs a molar mass
        ("[iU]/L", "/L"),  # arbitrary units compare with themselves only
        ("[iU]", "[arb'U]"),
        ("[pH]", "mol/L"),
        ("Cel/min", "K/min"),  # degrees stand alone
        ("cd", "d"),  # candela, not a hundredth of a day
        ("mg", "nonsense"),
        ("nonsense", "nonsense"),
    ],
)
def test_others_cannot_be_compared(one: str, other: str) -> None:
    assert conversion(one, other) is None
    assert conversion(other, one) is None


# Computed with pint 0.25 on the definitions of ucumvert 0.3: another table, another grammar, another arithmetic.
@pytest.mark.parametrize(
    ("one", "other", "at_1", "at_3"),
    [
        ("/g", "/g{Hb}", 1.0, 3.0),
        ("/g{Hb}", "/kg{body_wt}", 1000.0, 3000.0),
        ("10*6/uL", "10*12/L", 1.0, 3.0),
        ("A", "mA", 1000.0, 3000.0),
        ("A", "pA", 1000000000000.0, 3000000000000.0),
        ("Gy", "Sv", 1.0, 3.0),
        ("Gy", "dm2/s2", 99.99999999999999, 299.99999999999994),
        ("K", "[degRe]", -217.71999999999997, -216.11999999999998),
        ("L/(24.h)", "mL/(24.h)", 1000.0, 3000.0),
        ("L/kg", "mL/kg", 1000.0, 3000.0),
        ("Pa", "[psi]", 0.0001450377377302092, 0.00043511321319062763),
        ("U/L", "kU/mL", 1e-06, 3e-06),
        ("U/mL", "kU/L{class}", 1.0, 3.0),
        ("[MET].min/wk", "mL/(8.h)/kg", 0.16666666666666666, 0.5),
        ("[MET].min/wk", "mL/kg/h", 0.020833333333333332, 0.0625),
        ("[degF]", "K", 255.92777777777778, 257.0388888888889),
        ("[diop]", "/mm", 0.001, 0.003),
        ("[qt_us]", "[tbs_us]", 64.0, 192.0),
        ("[sft_i]", "[sin_i]", 144.00000000000003, 432.0000000000001),
        ("cm[H2O]", "mbar", 0.9806649999999999, 2.9419949999999995),
        ("dg", "ug/{specimen}", 100000.0, 300000.0),
        ("erg", "N.cm", 1e-05, 3.0000000000000004e-05),
        ("erg", "W.h", 2.777777777777778e-11, 8.333333333333334e-11),
        ("fL", "[tbs_us]", 6.762804540368603e-14, 2.0288413621105808e-13),
        ("fm", "m", 1e-15, 3.0000000000000002e-15),
        ("g.m", "g.m/{beat}", 1.0, 3.0),
        ("g/(3.d)", "ng/h", 13888888.888888884, 41666666.66666666),
        ("g/cm2", "ug/[sft_i]", 929030399.9999999, 2787091199.9999995),
        ("g/h/m2", "kg/(s.m2)", 2.7777777777777776e-07, 8.333333333333333e-07),
        ("kcal/[oz_av]", "dm2/s2", 14758625.679704443, 44275877.03911333),
        ("kg.m/s", "N.s", 1.0, 3.0),
        ("mL/(12.h)", "mL/(2.h)", 0.16666666666666666, 0.5),
        ("mL/(8.h)/kg", "mL/kg/(8.h)", 1.0, 3.0),
        ("mL/kg/d", "mL/kg/min", 0.0006944444444444444, 0.002083333333333333),
        ("mL/mm", "[sin_i]", 1.5500031000062005, 4.650009300018601),
        ("mU/g{Hb}", "mU/mg{creat}", 0.001, 0.003),
        ("mosm/L", "osm/L", 0.001, 0.003),
        ("mosm/kg", "osm/kg", 0.001, 0.003),
        ("uV", "V", 1e-06, 3e-06),
        ("uV", "mV", 0.001, 0.003),
        ("ug/L", "ng/mL", 0.9999999999999999, 2.9999999999999996),
        ("ug/L/(24.h)", "ng/mL/h", 0.04166666666666666, 0.12499999999999999),
        ("ukat", "kat", 1e-06, 3e-06),
        ("ukat", "nkat", 999.9999999999999, 2999.9999999999995),
        ("um/s", "mL/min/m2", 59.99999999999999, 179.99999999999997),
    ],
)
def test_conversions_agree_with_another_implementation(one: str, other: str, at_1: float, at_3: float) -> None:
    found = conversion(one, other)
    assert found is not None
    slope, shift = found
    assert float(slope + shift) == pytest.approx(at_1, rel=1e-6)
    assert float(3 * slope + shift) == pytest.approx(at_3, rel=1e-6)


@pytest.mark.parametrize(
    "code",
    [
        *("", "0", "m0", "mm-", "/", ".m", "m..s", "m/", "(m", "m)", "()", "10*999", "m1000", "{a", "a{b}c", "foo"),
        *(
            "k",
            "kkg",
            "mm[Hg",
            "µg",
            "mg ",
            " mg",
            "m g",
            "[degF]2",
            "Cel.m",
            "(" * 60,
            "m" * 81,
            "Mg[",
            "MM",
            "\u0661m",
        ),
    ],
)
def test_what_is_no_ucum_code_means_nothing(code: str) -> None:
    assert unit(code) is None


def test_every_unit_of_the_table_is_read() -> None:
    atoms, prefixes = units._table()
    assert (len(atoms), len(prefixes)) == (312, 24)
    for code, atom in atoms.items():
        assert unit(code) is not None, code
        assert (unit(f"m{code}") is not None) or not atom.metric, code


@given(st.sampled_from(["g", "mg", "ug", "kg", "[lb_av]", "t"]), st.sampled_from(["g", "mg", "ug", "kg", "[oz_av]"]))
def test_conversions_go_back_and_forth(one: str, other: str) -> None:
    there, back = conversion(one, other), conversion(other, one)
    assert there is not None
    assert back is not None
    assert there[0] * back[0] == 1


@given(st.text(max_size=30) | st.text("mgkLd[]{}()./0123456789*^-+Hg%", max_size=20))
def test_any_text_is_a_unit_or_none(code: str) -> None:
    found = unit(code)
    assert found is None or found.factor > 0
