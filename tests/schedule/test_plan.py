"""What people write for a schedule is checked before anything is printed."""

from typing import Any

import pytest

from kaudit.errors import InputError
from kaudit.schedule.plan import Plan

IMAGE = "registry.example.com/kaudit@sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"image": "kaudit"}, "has no digest.*write kaudit@sha256"),
        ({"image": "registry.example.com/kaudit:1.0"}, "has no digest"),
        ({"image": "kaudit@sha256:abc"}, "is no image reference"),
        ({"image": "a b@sha256:" + "a" * 64}, "is no image reference"),
        ({"schedule": "daily"}, "fields instead of five"),
        ({"secrets": "values"}, "no way to read Secrets"),
        ({"size": "lots"}, "no room for evidence"),
        ({"size": "100"}, "no room for evidence"),
        ({"size": "-5Gi"}, "no room for evidence"),
        ({"storage": "s3://audits/kaudit"}, "by renaming finished folders.*CSI driver"),
        ({"storage": "Fast Disk"}, "no name of a storage class"),
        ({"keep": 0}, "0 runs cannot be kept"),
        ({"owner": "team one"}, "no value of a label"),
        ({"api_server": ("kubernetes.default.svc",)}, "no address and no network.*endpointslices"),
        ({"version": "latest"}, "no version of Kubernetes"),
    ],
)
def test_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Plan(**{"image": IMAGE, **more}).checked()


def test_addresses_become_networks() -> None:
    plan = Plan(image=IMAGE, api_server=("203.0.113.7", "2001:db8::1", "203.0.113.9/28"))
    assert plan.checked().api_server == ("203.0.113.7/32", "2001:db8::1/128", "203.0.113.0/28")
