"""Whether what scanners are told to let pass has a reason, an owner, an end and a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.ages import days_since, older
from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-BLD-024a",
    layer="build",
    severity="medium",
    applies="lets_pass",
    expected="a reason",
    shows=("format", "id", "reason"),
)
def exception_without_reason(exception_terms: pd.DataFrame) -> pd.Series[Any]:
    """What scanners are told to let pass has a reason.

    An id in an ignore file hides a flaw from everybody who looks later. Without the reason
    nobody can say whether it still holds. A justification in the words of VEX is one.

    Remedy:
        Say why, where the entry stands.

        {id: CVE-2099-00001, statement: "the decoder is not built in", expired_at: 2025-12-31}

    Cases:
        kaudit-file: bad-text.trivyignore
        content: |
          CVE-2099-00001
        ---
        kaudit-file: bad-rule.grype.yaml
        content: |
          ignore:
            - vulnerability: CVE-2099-00001
        ---
        kaudit-file: bad-vex.json
        content: {"@context": "https://openvex.dev/ns/v0.2.0", statements: [{vulnerability: {name: CVE-2099-00001}, products: [a], status: not_affected}]}
        ---
        kaudit-file: ok-text.trivyignore
        content: |
          # the decoder is not built in
          CVE-2099-00001
        ---
        kaudit-file: ok-rule.grype.yaml
        content: |
          ignore:
            - {vulnerability: CVE-2099-00001, reason: the decoder is not built in}
        ---
        kaudit-file: ok-vex.json
        content: {"@context": "https://openvex.dev/ns/v0.2.0", statements: [
          {vulnerability: {name: CVE-2099-00001}, products: [a], status: not_affected, justification: component_not_present},
          {vulnerability: {name: CVE-2099-00002}, products: [a], status: affected}]}
    """
    return ~exception_terms["reasoned"]


@control(
    "KA-BLD-024b",
    layer="build",
    severity="medium",
    applies="may_end",
    expected="an end",
    shows=("format", "id", "reason"),
)
def exception_without_end(exception_terms: pd.DataFrame) -> pd.Series[Any]:
    """What scanners are told to ignore comes up again on a day.

    What was not reachable in spring may be reachable in autumn. Grype's rules know no end; an
    end is then a reason to state the exception elsewhere. VEX statements hold until they are
    replaced, and are not judged.

    Remedy:
        Give the entry an end.

        {id: CVE-2099-00001, statement: "the decoder is not built in", expired_at: 2025-12-31}

    Cases:
        kaudit-file: bad-text.trivyignore
        content: |
          CVE-2099-00001
        ---
        kaudit-file: bad-trivyignore.yaml
        content: |
          vulnerabilities:
            - {id: CVE-2099-00001, statement: never}
        ---
        kaudit-file: ok-text.trivyignore
        content: |
          CVE-2099-00001 exp:2026-06-30
        ---
        kaudit-file: ok-trivyignore.yaml
        content: |
          vulnerabilities:
            - {id: CVE-2099-00001, expired_at: 2026-06-30}
        ---
        kaudit-file: ok-vex.json
        content: {"@context": "https://openvex.dev/ns/v0.2.0", statements: [{vulnerability: {name: CVE-2099-00001}, products: [a], status: not_affected}]}
    """
    return ~exception_terms["ends"]


@control(
    "KA-BLD-024c",
    layer="build",
    severity="low",
    applies="ends",
    expected="an end in the future, or no entry",
    shows=("format", "id", "expires_at"),
    null="nobody told the moment that the evidence is of",
)
def exception_expired(exception_terms: pd.DataFrame, cluster: pd.DataFrame) -> pd.Series[Any]:
    """What scanners were told to ignore for a time is decided again when it is over.

    An entry that has ended is a promise that nobody kept: the finding is back, or it was fixed
    and the entry only hides the next one.

    Remedy:
        Fix the flaw, decide again, or remove the entry.

        trivy image --ignorefile .trivyignore.yaml registry.example.com/app:v1.0.0

    Cases:
        kaudit-file: bad-text.trivyignore
        content: |
          CVE-2099-00001 exp:2025-06-30
        ---
        kaudit-file: bad-trivyignore.yaml
        content: |
          misconfigurations:
            - {id: AVD-DS-0001, expired_at: 2024-12-31}
        ---
        kaudit-file: ok-text.trivyignore
        content: |
          CVE-2099-00001 exp:2026-06-30
    """
    return older(days_since(exception_terms["expires_at"], cluster), 0, cluster)


@control(
    "KA-BLD-024d",
    layer="build",
    severity="low",
    applies="lets_pass",
    expected="a product, package or path, and an id",
    shows=("format", "section", "id"),
)
def exception_everywhere(exception_terms: pd.DataFrame) -> pd.Series[Any]:
    """What scanners are told to let pass is bounded: to an id, and to a product or a place.

    An entry without bounds also hides the same flaw where it can be reached, and an entry for
    a whole kind of findings hides those that are yet to come.

    Remedy:
        Name the package or the path.

        {id: CVE-2099-00001, purls: ["pkg:deb/debian/zlib1g"], statement: "the decoder is not built in"}

    Cases:
        kaudit-file: bad-text.trivyignore
        content: |
          CVE-2099-00001 exp:2026-06-30
        ---
        kaudit-file: bad-rule.grype.yaml
        content: |
          ignore:
            - {fix-state: wont-fix, reason: nobody will}
        ---
        kaudit-file: ok-trivyignore.yaml
        content: |
          secrets:
            - {id: aws-access-key-id, paths: ["test/fixture.txt"]}
        ---
        kaudit-file: ok-rule.grype.yaml
        content: |
          ignore:
            - {vulnerability: CVE-2099-00001, package: {name: zlib1g}}
    """
    return exception_terms["everywhere"]


@control(
    "KA-BLD-024e",
    layer="build",
    severity="low",
    applies="lets_pass",
    expected="a name behind owner:",
    shows=("format", "id", "reason"),
)
def exception_without_owner(exception_terms: pd.DataFrame) -> pd.Series[Any]:
    """What scanners are told to let pass has an owner.

    Somebody must be asked when the reason no longer holds. A VEX document has an author; in
    ignore files kaudit looks for owner:, approved by: or team: in the reason.

    Remedy:
        Name the owner in the reason.

        {id: CVE-2099-00001, statement: "the decoder is not built in; owner: team-web"}

    Cases:
        kaudit-file: bad-text.trivyignore
        content: |
          # the decoder is not built in
          CVE-2099-00001
        ---
        kaudit-file: ok-text.trivyignore
        content: |
          # the decoder is not built in; owner: team-web
          CVE-2099-00001
        ---
        kaudit-file: ok-vex.json
        content: {"@context": "https://openvex.dev/ns/v0.2.0", author: Team Web, statements: [{vulnerability: {name: CVE-2099-00001}, products: [a], status: not_affected}]}
    """
    return ~exception_terms["owned"]
