"""Rules of Falco as they take effect."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kaudit.collect import collect
from kaudit.source.files import FileSource
from kaudit.source.tools import ToolSource
from tests.corpus.reading import corpus
from tests.shared import needs_shared, shared

BASE = "- rule: A\n  condition: spawned_process\n  priority: NOTICE\n  tags: [x, T1059]\n"


def states(folder: Path, **texts: str) -> dict[str, tuple[str, str]]:
    """State and reason of each rule; the files in the order of their names."""
    found = {f"{name}.yaml": text for name, text in texts.items()}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": found}
    (folder / "c.yaml").write_text(yaml.safe_dump(config))
    rows = collect(FileSource(folder))["falco_rules"]
    return {row["rule"]: (row["state"], row["why"]) for row in rows.to_dict("records")}


def test_a_rule_that_is_in_order_is_loaded(tmp_path: Path) -> None:
    assert states(tmp_path, a=BASE) == {"A": ("loaded", "")}


@pytest.mark.parametrize(
    ("later", "state", "why"),
    [
        ("- rule: A\n  enabled: false\n", "disabled", "enabled: false"),
        ("- rule: A\n  override: {enabled: replace}\n  enabled: false\n", "disabled", "enabled"),
        (
            "- rule: A\n  condition: never_true\n  override: {condition: replace}\n",
            "disabled",
            "never",
        ),
        ("- rule: A\n  append: true\n  condition: and never_true\n", "disabled", "never"),
        ("- rule: A\n  append: true\n  condition: and not gone\n", "broken", "gone"),
        ("- rule: A\n  append: true\n  condition: and not container\n", "loaded", ""),
    ],
)
def test_what_a_later_file_makes_of_it(tmp_path: Path, later: str, state: str, why: str) -> None:
    found = states(tmp_path, a=BASE, b=later)["A"]
    assert found[0] == state or (state == "broken" and found[0] in ("broken", "refused"))
    assert why in found[1]


def test_one_broken_rule_takes_its_file_along(tmp_path: Path) -> None:
    both = BASE + "- rule: B\n  condition: gone_macro\n  priority: INFO\n"
    found = states(tmp_path, a=both)
    assert found["B"][0] == "broken"
    assert found["A"] == (
        "refused",
        "its file is refused: rule B names what no file defines: gone_macro",
    )


def test_order_counts(tmp_path: Path) -> None:
    macro = "- macro: own\n  condition: evt.type = open\n"
    uses = "- rule: A\n  condition: own\n  priority: INFO\n"
    assert states(tmp_path, a=macro, b=uses)["A"][0] == "loaded"
    assert states(tmp_path, a=uses, b=macro)["A"][0] == "broken"


USES = "- rule: A\n  condition: own\n  priority: INFO\n"
OWN = "- macro: own\n  condition: other\n"
OTHER = "- macro: other\n  condition: evt.type = open\n"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (USES + OTHER + OWN, ""),  # a rule may name what its file defines later
        (OWN + USES + OTHER, "other"),  # a macro may not
        (OWN + OTHER + "- macro: own\n  append: true\n  condition: or container\n", ""),
        (OWN + OTHER + "- macro: own\n  condition: other\n", ""),
        (OTHER + "- macro: own\n  condition: own\n", "own"),
    ],
)
def test_what_a_macro_may_name(tmp_path: Path, text: str, missing: str) -> None:
    found = states(tmp_path, a=BASE + text)["A"]
    assert (found[0] == "refused") == bool(missing) or "own" in found[1]
    assert (f"names what no file defines: {missing}" in found[1]) == bool(missing)


def test_a_condition_that_is_replaced_names_nothing_any_more(tmp_path: Path) -> None:
    both = USES + "- rule: A\n  condition: container\n  override: {condition: replace}\n"
    assert states(tmp_path, a=both)["A"][0] == "loaded"
    assert states(tmp_path, a=USES, b=both.partition("INFO\n")[2])["A"][0] == "broken"


def test_documents_of_one_file_are_one_file(tmp_path: Path) -> None:
    assert states(tmp_path, a=USES + "---\n" + OTHER + OWN)["A"] == ("loaded", "")


RULE = "- rule: A\n  condition: container\n  priority: INFO\n"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("  exceptions: [{name: e, fields: [a.b, c.d], comps: [=, in], values: [[x, [y]]]}]", ""),
        ("  exceptions: [{name: e, fields: [a.b], comps: [startswith oneof]}]", ""),
        ("  exceptions: [{name: e, fields: a.b, values: [x, y]}]", ""),
        ("  exceptions: [{name: e, fields: a.b, comps: pmatch}]", ""),
        ("  exceptions: [{fields: a.b}]", "an exception has no name"),
        ("  exceptions: [{name: e}]", "has no fields"),
        ("  exceptions: {name: e}", "are no list"),
        ("  exceptions: [{name: e, fields: [a.b, c.d], comps: [=]}]", "as many comps"),
        ("  exceptions: [{name: e, fields: [a.b, c.d], values: [[x]]}]", "as many values"),
        ("  exceptions: [{name: e, fields: [a.b], comps: [like]}]", "'like' is no comparison"),
        ("  exceptions: [{name: e, fields: a.b, comps: startswith}]", "'startswith' is no"),
        ("  exceptions: [{name: e, fields: a.b, values: [[x]]}]", "plain values"),
        ("  override: {priority: append}", "cannot be overridden by priority: append"),
        ("  override: {condition: merge}", "cannot be overridden by condition: merge"),
        ("  override: {tags: append}", "overrides tags, and does not say by what"),
        ("  override: {condition: replace}", "says priority, which its override"),
        ("  append: true\n  override: {condition: append}", "both append and override"),
    ],
)
def test_exceptions_and_overrides_must_fit(tmp_path: Path, more: str, fault: str) -> None:
    state, why = states(tmp_path, a=RULE, b=RULE + more + "\n")["A"]
    assert state == ("broken" if fault else "loaded")
    assert fault in why


def test_exceptions_are_added_without_their_fields(tmp_path: Path) -> None:
    first = RULE + "  exceptions: [{name: e, fields: [a.b]}]\n"
    more = "- rule: A\n  exceptions: [{name: e, values: [[x]]}]\n  override: {exceptions: append}\n"
    assert states(tmp_path, a=first, b=more)["A"] == ("loaded", "")


def test_many_items_and_odd_ones_are_read_in_their_time(tmp_path: Path) -> None:
    many = "".join(
        f"- macro: m{n}\n  condition: {f'm{n - 1}' if n else 'a.b exists'}\n" for n in range(4000)
    )
    odd = "- rule: 5\n  condition: m3999\n  priority: INFO\n- macro: self\n  condition: self\n"
    assert states(tmp_path, a=many + odd) == {
        "5": ("refused", "its file is refused: macro self names what no file defines: self")
    }


def test_lists_in_lists_and_versions_are_in_order(tmp_path: Path) -> None:
    text = (
        "- required_engine_version: 0.57.0\n"
        "- required_plugin_versions: [{name: k8saudit, version: 0.7.0, alternatives: []}]\n"
        "- list: inner\n  items: [sh, bash]\n"
        "- list: outer\n  items: [inner, zsh, 5, true]\n"
        "- list: outer\n  items: [inner]\n  override: {items: append}\n"
        "- rule: A\n  condition: proc.name in (outer) and tolower(proc.pname) in (inner)\n"
        "  priority: INFO\n"
    )
    assert states(tmp_path, a=text) == {"A": ("loaded", "")}


def test_an_append_to_nothing_is_told(tmp_path: Path) -> None:
    assert (
        states(tmp_path, a="- list: gone\n  append: true\n  items: [a]\n" + BASE)["A"][0]
        == "refused"
    )


def test_settings_switch_off(tmp_path: Path) -> None:
    said = "rules_files: [/etc/falco/a.yaml]\nrules:\n- disable: {rule: A}\n"
    assert states(tmp_path, a=BASE, falco=said)["A"][1] == "switched off in falco.yaml"
    said = "rules_files: [/etc/falco/a.yaml]\npriority: warning\n"
    assert states(tmp_path, a=BASE, falco=said)["A"] == (
        "disabled",
        "falco.yaml loads warning and worse alone",
    )


def test_a_file_that_nobody_loads(tmp_path: Path) -> None:
    said = "rules_files: [/etc/falco/b.yaml]\n"
    found = states(tmp_path, a=BASE, b="- rule: B\n  condition: container\n", falco=said)
    assert found["A"] == ("unlisted", "falco.yaml does not name its file")
    assert found["B"] == ("loaded", "")


def test_other_yaml_is_no_file_of_rules(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("ingress:\n  hosts:\n  - rule: a\n  - list: b\n")
    (tmp_path / "pod.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: a}}")
    evidence = collect(FileSource(tmp_path))
    assert len(evidence["falco_items"]) == 0
    assert not any("Falco rules output values.yaml" in gap.what for gap in evidence.gaps)


def test_anchors_exceptions_and_text_that_is_no_rule(tmp_path: Path) -> None:
    text = (
        "- list: l\n  items: &i [a]\n- list: m\n  items: *i\n"
        "- rule: A\n  condition: proc.name in (l, m)\n  priority: 5\n"
        "  exceptions:\n  - name: known\n    fields: [proc.name]\n    values: [[a]]\n"
    )
    assert states(tmp_path, a=text) == {"A": ("loaded", "")}
    assert states(tmp_path, a=text + "- what: is this\n")["A"][0] == "refused"


@needs_shared
def test_the_rules_of_the_guide_are_refused_with_the_reason(tmp_path: Path) -> None:
    text = shared("guide.txt").read_text()
    start = text.index("# falco-rules.yaml")
    (tmp_path / "values.yaml").write_text(
        text[start : text.index("Security Monitoring with", start)]
    )
    rows = collect(FileSource(tmp_path))["falco_rules"]
    assert dict(zip(rows["rule"], rows["state"], strict=True)) == {
        "Shell Spawned in Container": "broken",
        "Sensitive File Access": "refused",
        "Crypto Mining Activity": "refused",
    }
    assert rows["why"].str.contains("shell_allowed_parent_processes").all()


@needs_shared
@pytest.mark.parametrize("name", ["falco_rules", "falco-sandbox_rules", "values-custom-rules"])
def test_real_files_have_no_false_undefined(name: str) -> None:
    path = corpus("falco", "rules", f"{name}.yaml")
    content = yaml.safe_load(path.read_text())
    if isinstance(content, dict):
        content = [one for text in content["customRules"].values() for one in yaml.safe_load(text)]
    evidence = collect(ToolSource("falco-rules", path))
    rows = evidence["falco_rules"]
    off = {one["rule"] for one in content if one.get("enabled") is False}
    assert set(rows["rule"]) == {one["rule"] for one in content if "rule" in one}
    assert set(rows[rows["state"] == "disabled"]["rule"]) == off
    assert set(rows["state"]) <= {"loaded", "disabled"}
    kinds = evidence["falco_items"]["item"].value_counts().to_dict()
    assert kinds == {
        kind: n for kind in ("rule", "macro", "list") if (n := sum(kind in one for one in content))
    }
