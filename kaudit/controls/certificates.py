"""Certificates: how long they hold, and whether they are issued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kaudit.registry import control

if TYPE_CHECKING:
    import pandas as pd


@control(
    "KA-NET-021",
    layer="network",
    severity="high",
    expected="valid for certificate_min_days more, or renewed in time",
    shows=("part", "expires_at", "days_left"),
    weak=("certificates",),
    named_by={"certificates": "kept_by"},
    null="its end is not told, or the source does not tell its date (--as-of does)",
)
def ending_certificate(certificate_expiry: pd.DataFrame) -> pd.Series[Any]:
    """No certificate has ended, or ends soon.

    Clients then refuse the service, or are told to stop checking; a webhook that nobody can
    call blocks the cluster, or lets everything in. Bundles of authorities count until the last
    of them ends; one that cert-manager renews may be short.

    Remedy:
        Renew it, or let cert-manager do so.

        kubectl cert-manager renew <name>

    Cases:
        {apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: bad-ended}, spec: {secretName: s}, status: {notAfter: "2025-11-01T00:00:00Z", renewalTime: "2025-10-01T00:00:00Z"}}
        ---
        {apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: bad-not-renewed}, spec: {secretName: t}, status: {notAfter: "2025-12-20T00:00:00Z", renewalTime: "2025-11-20T00:00:00Z"}}
        ---
        {apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: ok-short}, spec: {secretName: u}, status: {notAfter: "2025-12-03T00:00:00Z", renewalTime: "2025-12-02T00:00:00Z"}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: bad-old}, type: kubernetes.io/tls, data: {tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJMRENCMzZBREFnRUNBaFJjVHlaWHZaSnBjdzIyL3pkZlA5aDJ0RWUwWWpBRkJnTXJaWEF3RERFS01BZ0dBMVVFQXd3QllUQWUKRncweU5EQXhNREV3TURBd01EQmFGdzB5TlRBeE1ERXdNREF3TURCYU1Bd3hDakFJQmdOVkJBTU1BV0V3S2pBRkJnTXJaWEFESVFEZApKalA2L1kyYy92WjgvV2NkN2tsN2dqd3dkNGVQUDZqNzFLbHhBdWJwdktOVE1GRXdIUVlEVlIwT0JCWUVGTldJNnZzeUd2RnhwdS9UCkUwbUVXaFQ2bnRtb01COEdBMVVkSXdRWU1CYUFGTldJNnZzeUd2RnhwdS9URTBtRVdoVDZudG1vTUE4R0ExVWRFd0VCL3dRRk1BTUIKQWY4d0JRWURLMlZ3QTBFQWcwWDBoY3NyK0x5eFJUSE1STE1zaFRHcWVuNWhaaFFxakZUaVZna0ZjV2VCdGFFb0NjRnhKN1p1WFQ2dwpQck52TGtwRUo3ZkhoY2pKRXUyWkFpbDFBUT09Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-new}, type: kubernetes.io/tls, data: {tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJMRENCMzZBREFnRUNBaFJjVHlaWHZaSnBjdzIyL3pkZlA5aDJ0RWUwWWpBRkJnTXJaWEF3RERFS01BZ0dBMVVFQXd3QllUQWUKRncweU5UQXhNREV3TURBd01EQmFGdzAwT1RBeE1ERXdNREF3TURCYU1Bd3hDakFJQmdOVkJBTU1BV0V3S2pBRkJnTXJaWEFESVFEZApKalA2L1kyYy92WjgvV2NkN2tsN2dqd3dkNGVQUDZqNzFLbHhBdWJwdktOVE1GRXdIUVlEVlIwT0JCWUVGTldJNnZzeUd2RnhwdS9UCkUwbUVXaFQ2bnRtb01COEdBMVVkSXdRWU1CYUFGTldJNnZzeUd2RnhwdS9URTBtRVdoVDZudG1vTUE4R0ExVWRFd0VCL3dRRk1BTUIKQWY4d0JRWURLMlZ3QTBFQWcwWDBoY3NyK0x5eFJUSE1STE1zaFRHcWVuNWhaaFFxakZUaVZna0ZjV2VCdGFFb0NjRnhKN1p1WFQ2dwpQck52TGtwRUo3ZkhoY2pKRXUyWkFpbDFBUT09Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: ok-unread}, type: kubernetes.io/tls, data: {tls.crt: bm8gY2VydGlmaWNhdGU=}}
    """
    return certificate_expiry["ending"]


@control(
    "KA-NET-021a",
    layer="network",
    severity="medium",
    expected="condition Ready is True",
    shows=("issuer", "ready", "reason", "expires_at"),
    null="no controller has said how it went",
)
def certificate_not_ready(certificates: pd.DataFrame) -> pd.Series[Any]:
    """Every Certificate is issued.

    One that cannot be issued runs out, or leaves its service without one.

    Remedy:
        Read its condition, and those of its requests and issuer.

        kubectl describe certificate <name>

    Cases:
        {apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: bad-failed}, spec: {secretName: s}, status: {conditions: [{type: Ready, status: "False", reason: DoesNotExist}]}}
        ---
        {apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: ok-issued}, spec: {secretName: s}, status: {conditions: [{type: Ready, status: "True", reason: Ready}]}}
    """
    return ~certificates["ready"]
