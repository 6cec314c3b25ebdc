"""Sensors are known by whole parts of the names of their images."""

import pytest

from kaudit.model.sensors import SENSORS, sensor_of, ships_logs

DIGEST = "@sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "sensor"),
    [
        ("falcosecurity/falco", "falco"),
        ("docker.io/falcosecurity/falco:0.42.0", "falco"),
        ("registry.example:5000/mirror/falcosecurity/falco-no-driver" + DIGEST, "falco"),
        ("quay.io/cilium/tetragon:v1.6.0", "tetragon"),
        ("falcosecurity/falcosidekick:2", None),
        ("notfalcosecurity/falco:1", None),
        ("example.com/falco:1", None),
        ("falcon-sensor:7", "crowdstrike"),
        ("my-falcon-sensor:7", None),
        ("example.com/sensor:1", "wiz"),
        ("example.com/motion-sensor:1", None),
        ("", None),
    ],
)
def test_sensors(image: str, sensor: str | None) -> None:
    assert sensor_of(image) == sensor
    assert sensor is None or sensor in SENSORS


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("fluent/fluent-bit:4", True),
        ("cr.fluentbit.io/fluent/fluent-bit" + DIGEST, True),
        ("example.com/notgrafana/alloy:4", False),
        ("example.com/elastic-agent", True),
        ("example.com/inelastic-agent", False),
    ],
)
def test_shippers(image: str, expected: bool) -> None:
    assert ships_logs(image) is expected
