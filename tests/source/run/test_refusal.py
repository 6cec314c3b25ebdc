"""What tools say when they fail, in their own words, has a reason and a way out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaudit.model.words import Reason
from kaudit.source.run.refusal import refusal

SAID = [
    (
        "2026-01-02T03:04:05Z\tINFO\t[vuln] Vulnerability scanning is enabled\n"
        "2026-01-02T03:04:05Z\tFATAL\tFatal error\trun error: GET https://r.example/v2/a/manifests/1: "
        "TOOMANYREQUESTS: You have reached your pull rate limit",
        Reason.UNREACHABLE,
        "limits requests",
    ),
    ("ERROR: unexpected status code 429 Too Many Requests", Reason.UNREACHABLE, "limits requests"),
    (
        "GET https://r.example/v2/: UNAUTHORIZED: authentication required",
        "unauthenticated",
        "log in",
    ),
    (
        "GET https://r.example/v2/a: DENIED: requested access is denied",
        "forbidden",
        "right to pull",
    ),
    ("remote error: MANIFEST_UNKNOWN: manifest unknown", "absent", "does not hold it"),
    ("dial tcp: lookup r.example: no such host", "unreachable", "check the name"),
    ("dial tcp 127.0.0.1:1: connect: connection refused", "unreachable", "check the name"),
    ("x509: certificate signed by unknown authority", "unreachable", "check the name"),
    ("write /tmp/x: no space left on device", "tool_failed", "no room on the disk"),
    (
        "2026-01-02T03:04:05Z\tFATAL\tFatal error\trun error: init error: DB error: error in "
        "vulnerability DB initialize: failed to open db: invalid database",
        "tool_failed",
        "download it anew",
    ),
    (
        "[0000] ERROR failed to load vulnerability db: database does not exist",
        "tool_failed",
        "anew",
    ),
    ("panic: made up", "tool_failed", "panic: made up"),
    ("", "tool_failed", "ended with 1 and said nothing"),
]


@pytest.mark.parametrize(("said", "reason", "way"), SAID)
def test_reasons(said: str, reason: str, way: str) -> None:
    fault = refusal("Trivy", said, 1)
    assert fault.reason == reason
    assert way in fault.detail
    assert "INFO" not in fault.detail


def test_nothing_that_differs_from_run_to_run() -> None:
    def detail(when: str, folder: str) -> str:
        said = f"{when}\tFATAL\tFatal error\topen /tmp/kaudit-scan-{folder}/on-1/x: made up"
        return refusal("Trivy", said, 1).detail

    assert detail("2026-01-02T03:04:05Z", "abc") == detail("2026-05-06T07:08:09Z", "xyz")


@settings(max_examples=200)
@given(said=st.text(max_size=2000), code=st.integers(-64, 255))
def test_any_words_are_a_reason(said: str, code: int) -> None:
    fault = refusal("Trivy", said, code)
    assert isinstance(fault.reason, Reason)
    assert fault.detail
    assert len(fault.detail) < 600


def test_a_signal() -> None:
    assert refusal("Trivy", "", -9).detail == "was ended by signal 9"


def test_credentials_are_masked_and_long_words_cut() -> None:
    said = "cannot log in with password=hunter22hunter22 " + "x" * 5000
    detail = refusal("Trivy", said, 1).detail
    assert "hunter22" not in detail
    assert len(detail) < 600
