"""Where Falco's alerts go: out of the cluster, to a shipper of logs, or nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from kaudit.columns import records
from kaudit.registry import view
from kaudit.table import Resource, Table, Trace, doc, frame

if TYPE_CHECKING:
    import pandas as pd


class AlertRouteRow(Trace, kw_only=True):
    kind: Annotated[str, doc("ConfigMap, or File")]
    namespace: Annotated[str, doc("namespace of the ConfigMap")]
    config_map: Annotated[str, doc("ConfigMap with the falco.yaml")]
    file: Annotated[str, doc("its key")]
    outputs: Annotated[list[str], doc("outputs that are on, sorted")]
    http_host: Annotated[str | None, doc("host that alerts are sent to by HTTP")] = None
    shipped: Annotated[bool, doc("a DaemonSet that ships logs is in the evidence")]
    lost: Annotated[bool | None, doc("alerts stay on their node; null: not told")] = None


ALERT_ROUTES = Table(
    "alert_routes",
    AlertRouteRow,
    grain="one falco.yaml, and where its alerts go",
    key=("namespace", "config_map", "file"),
    resource=Resource("kind", name="config_map"),
)
_AWAY = frozenset(["http", "program", "grpc", "syslog"])


@view(ALERT_ROUTES)
def alert_routes(falco_settings: pd.DataFrame, sensor_pods: pd.DataFrame) -> pd.DataFrame:
    """Follow the outputs."""
    shippers = sensor_pods[sensor_pods["sensor"] == "log shipper"]
    shipped = bool((shippers["owner_kind"] == "DaemonSet").any())
    rows = []
    for said in records(falco_settings):
        away = _AWAY & set(said["outputs"])
        told = said["outputs_told"]
        local = not (away or (shipped and "stdout" in said["outputs"]))
        rows.append(
            AlertRouteRow(
                raw=said["raw"],
                raw_line=said["raw_line"],
                kind=said["kind"],
                namespace=said["namespace"],
                config_map=said["config_map"],
                file=said["file"],
                outputs=said["outputs"],
                http_host=said["http_host"],
                shipped=shipped,
                lost=local if told else None,
            )
        )
    return frame(ALERT_ROUTES.sorted(ALERT_ROUTES.arrow(rows)))
