"""Schedules are those that the CronJob controller takes; others are refused with a reason."""

import pytest

from kaudit.errors import InputError
from kaudit.schedule.cron import checked


@pytest.mark.parametrize(
    "schedule",
    [
        *("0 3 * * *", "*/15 * * * *", "0 0 1 1 *", "0 0 29 2 *", "5,35 8-18/2 ? * mon-fri"),
        *("59 23 31 12 6", "0 0 31 JAN,feb *", "0 0 31 2 1", "10/20 0 * * 0", "@daily"),
    ],
)
def test_taken(schedule: str) -> None:
    assert checked(schedule) == schedule


def test_spaces_become_single() -> None:
    assert checked("  0  3 * *\t* ") == "0 3 * * *"


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("", "0 fields instead of five"),
        ("0 3 * *", "4 fields instead of five"),
        ("0 3 * * * *", "6 fields instead of five"),
        ("@every 1h", "2 fields instead of five"),
        ("@reboot", "1 fields instead of five"),
        ("60 3 * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 3 0 * *", "'0' is no day of the month"),
        ("0 3 * 13 *", "'13' is no month"),
        ("0 3 * * 7", "'7' is no day of the week"),
        ("0 3 * * monday", r"'monday' is no day of the week \(0-6 or sun-sat"),
        ("*/0 3 * * *", "is no minute"),
        ("5-1 3 * * *", "is no minute"),
        ("1,,2 3 * * *", "is no minute"),
        ("-1 3 * * *", "is no minute"),
        ("*/5/5 3 * * *", "is no minute"),
        ("٣ 3 * * *", "is no minute"),
        ("0 3 30 2 *", "a day that never comes"),
        ("0 3 31 apr,jun *", "a day that never comes"),
    ],
)
def test_refused(schedule: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked(schedule)
