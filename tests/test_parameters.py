"""Decisions of the auditor: read, checked, in force for a while."""

import threading

import msgspec
import pytest

from kaudit.errors import InputError
from kaudit.parameters import Parameters, parameters, parse, using


def test_defaults() -> None:
    assert msgspec.to_builtins(Parameters()) == {
        "accepted_builders": (),
        "accepted_signers": (),
        "allowed_registries": (),
        "break_glass_groups": (),
        "certificate_min_days": 30,
        "critical_fix_days": 7,
        "environment_labels": ("env", "environment", "stage", "app.kubernetes.io/environment"),
        "exploit_score": 0.5,
        "high_fix_days": 30,
        "image_max_age_days": 180,
        "log_max_age_hours": 24,
        "moving_tags": ("dev", "edge", "main", "master", "nightly", "stable"),
        "owner_labels": ("team", "owner"),
        "production_environments": ("live", "prd", "prod", "production"),
        "registry_secret_max_age_days": 180,
        "sandbox_handlers": ("gvisor*", "kata*", "runsc*"),
        "scan_max_age_days": 7,
        "secret_max_age_days": 90,
        "segmentation": (),
        "sensitive_labels": (
            "data-classification=confidential",
            "data-classification=restricted",
            "pci=true",
            "sensitivity=confidential",
            "sensitivity=high",
            "sensitivity=restricted",
        ),
        "sensor_images": (),
        "token_max_seconds": 86_400,
        "untrusted_labels": ("untrusted=true",),
        "untrusted_namespaces": (),
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Parameters()),
        (
            {"allowed_registries": "a.example, b.example/x ,"},
            Parameters(allowed_registries=("a.example", "b.example/x")),
        ),
        ({"allowed_registries": ["a", "b,c"]}, Parameters(allowed_registries=("a", "b,c"))),
        ({"moving_tags": ""}, Parameters(moving_tags=())),
        ({"secret_max_age_days": "30"}, Parameters(secret_max_age_days=30)),
        ({"token_max_seconds": 600}, Parameters(token_max_seconds=600)),
    ],
)
def test_parse(values: dict[str, object], expected: Parameters) -> None:
    assert parse(values) == expected


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"colour": "red"}, "there is no parameter 'colour'"),
        ({"owner_label": "team"}, "did you mean owner_labels?"),
        ({"secret_max_age_days": "0"}, "`int` >= 1"),
        ({"secret_max_age_days": "-1"}, "`int` >= 1"),
        ({"secret_max_age_days": "soon"}, r"at `$.secret_max_age_days`"),
        ({"token_max_seconds": "1.5"}, r"at `$.token_max_seconds`"),
        ({"moving_tags": 3}, r"at `$.moving_tags`"),
        ({"moving_tags": [1]}, r"at `$.moving_tags"),
    ],
)
def test_what_does_not_fit_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as fault:
        parse(values)
    assert said in str(fault.value)


def test_in_force_for_a_while() -> None:
    chosen = Parameters(secret_max_age_days=1)
    assert parameters() == Parameters()
    with using(chosen):
        assert parameters() is chosen
        with using(Parameters(secret_max_age_days=2)):
            assert parameters().secret_max_age_days == 2
        assert parameters() is chosen
    assert parameters() == Parameters()


def test_an_error_ends_it() -> None:
    with pytest.raises(ZeroDivisionError), using(Parameters(secret_max_age_days=1)):
        raise ZeroDivisionError
    assert parameters() == Parameters()


def test_threads_do_not_see_each_other() -> None:
    seen: list[int] = []
    with using(Parameters(secret_max_age_days=1)):
        thread = threading.Thread(target=lambda: seen.append(parameters().secret_max_age_days))
        thread.start()
        thread.join()
    assert seen == [90]
