"""How long the systems and runtimes of nodes are supported, by what nodes call them."""

import pytest

from tests.memory_source import evidence_of, rows


@pytest.mark.parametrize(
    ("system", "runtime", "names", "ends"),
    [
        ("Ubuntu 22.04.5 LTS", "containerd://1.7.27", ["Ubuntu 22.04", "containerd 1.7"], [2027, 2026]),
        ("Ubuntu 24.04.3 LTS", "containerd://2.2.0", ["Ubuntu 24.04", "containerd 2.2"], [2029, 2026]),
        ("Debian GNU/Linux 11 (bullseye)", "containerd://1.4.13~ds1", ["Debian 11", "containerd 1.4 or before"], [2026, 2022]),
        ("Red Hat Enterprise Linux 9.4 (Plow)", "containerd://2.0.5", ["Red Hat Enterprise Linux 9", "containerd 2.0"], [2032, 2027]),
        ("Amazon Linux 2", "containerd://1.6.36", ["Amazon Linux 2", "containerd 1.6"], [2026, 2025]),
        ("Amazon Linux 2023.9.20251014", "containerd://2.1.4", ["Amazon Linux 2023", "containerd 2.1"], [2029, 2026]),
        ("Rocky Linux 8.10 (Green Obsidian)", "cri-o://1.34.0", ["Rocky Linux 8", None], [2029, None]),
        ("CentOS Linux 8", "docker://20.10.7", ["CentOS 8", None], [2021, None]),
        ("Red Hat Enterprise Linux CoreOS 418.94", "containerd://10.0.0", [None, None], [None, None]),
    ],
)  # fmt: skip
def test_a_node_is_known_by_what_it_tells(
    system: str, runtime: str, names: list[str | None], ends: list[int | None]
) -> None:
    told = f'{{osImage: "{system}", containerRuntimeVersion: "{runtime}"}}'
    evidence = evidence_of(
        f"{{apiVersion: v1, kind: Node, metadata: {{name: n}}, status: {{nodeInfo: {told}}}}}"
    )
    found = {r["part"]: r for r in rows(evidence, "node_support")}
    assert [found[part]["known_as"] for part in ("os", "runtime")] == names
    last = [found[part]["support_ends_at"] for part in ("os", "runtime")]
    assert [end and end.year for end in last] == ends
