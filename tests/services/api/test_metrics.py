"""What was noted and counted together is what counting each would have given."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from liaison.services.api.metrics import Metrics

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
NAME = "liaison_fhir_request_seconds"


def lines(text: bytes, *, but: tuple[str, ...]) -> list[str]:
    return [
        line for line in text.decode().splitlines() if line.startswith(NAME) and not any(one in line for one in but)
    ]


@given(durations=st.lists(st.sampled_from([*BUCKETS, 0.0, 0.0011, 0.07, 9.999, 10.01, 3600]), max_size=60))
async def test_durations_fall_into_the_buckets_that_the_library_puts_them_into(durations: list[float]) -> None:
    registry = CollectorRegistry()
    each = Histogram(NAME, "", ("method",), buckets=BUCKETS, registry=registry)
    ours = Metrics()
    for seconds in durations:
        each.labels("GET").observe(seconds)
        ours.observe("GET", "Patient/x", 200, seconds)

    apart = ("_sum", "_created")  # added up in another order; made at another time
    assert lines(ours.render(), but=apart) == lines(generate_latest(registry), but=apart)


async def test_requests_are_counted_by_method_type_and_status_and_never_by_what_they_name() -> None:
    ours = Metrics()
    for method, path, status in (
        ("GET", "Patient/secret", 200),
        ("GET", "Patient/other", 200),
        ("GET", "Patient/secret", 404),
        ("BREW", "secret/Patient", 405),
    ):
        ours.observe(method, path, status, 0.5)
    text = ours.render().decode()

    assert 'liaison_fhir_requests_total{method="GET",status="200",type="Patient"} 2.0' in text
    assert 'liaison_fhir_requests_total{method="GET",status="404",type="Patient"} 1.0' in text
    assert 'liaison_fhir_requests_total{method="other",status="405",type=""} 1.0' in text
    assert f'{NAME}_sum{{method="GET"}} 1.5' in text
    assert "secret" not in text
