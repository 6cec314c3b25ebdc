"""Variables of containers that carry a long-lived credential of a cloud.

Names are those that the clouds' own SDKs read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kaudit.columns import arrow, assembled, looked_up, matched, positions, series, text_is
from kaudit.registry import view
from kaudit.table import Table, doc
from kaudit.tables.owned import CONTAINER_KEY, OWNED_CONTAINER, OfPod

if TYPE_CHECKING:
    import pandas as pd

#: Variables whose value is the credential itself.
_VALUES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"),
    *("AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET", "AZURE_STORAGE_KEY", "AZURE_PASSWORD"),
    *("AZURE_STORAGE_CONNECTION_STRING", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    *("GOOGLE_CREDENTIALS", "GOOGLE_API_KEY", "DIGITALOCEAN_TOKEN", "HCLOUD_TOKEN"),
    *("OCI_CLI_KEY_CONTENT", "IBMCLOUD_API_KEY", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
)
#: Variables that name the file of one.
_FILES = (
    *("GOOGLE_APPLICATION_CREDENTIALS", "AWS_SHARED_CREDENTIALS_FILE"),
    *("AZURE_CLIENT_CERTIFICATE_PATH", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"),
)
_VERDICTS = ("AWS access key", "Google API key", "Azure storage key")


class CloudCredentialRow(OfPod, kw_only=True):
    container: Annotated[str, doc("name of the container")]
    container_type: Annotated[str, doc("init, sidecar, regular or ephemeral")]
    position: Annotated[int, doc("place in env, then envFrom, from 0")]
    variable: Annotated[str, doc("name of the variable")]
    source: Annotated[str, doc("literal, secret, configMap, …")]
    service_account: Annotated[str, doc("effective account")]
    cloud_identity: Annotated[bool, doc("the account stands for a role of the cloud")]
    of_secret: Annotated[bool, doc("a volume of its pod shows a Secret")]
    static: Annotated[bool, doc("a credential that holds until somebody changes it")]


CLOUD_CREDENTIALS = Table(
    "cloud_credentials",
    CloudCredentialRow,
    grain="one variable of a container that SDKs of clouds take a credential from",
    key=(*CONTAINER_KEY, "position"),
    resource=OWNED_CONTAINER,
    pods=True,
)


@view(CLOUD_CREDENTIALS)
def cloud_credentials(
    environment: pd.DataFrame,
    pod_context: pd.DataFrame,
    volumes: pd.DataFrame,
    projections: pd.DataFrame,
    service_accounts: pd.DataFrame,
) -> pd.DataFrame:
    """Choose the variables by name, or by what their literal looks like."""
    import pyarrow as pa
    import pyarrow.compute as pc

    env = environment
    value = text_is(env["variable"], *_VALUES) | text_is(env["verdict"], *_VERDICTS)
    file = text_is(env["variable"], *_FILES)
    given = ~text_is(env["source"], "none")
    e = env[((value | file) & given).to_numpy(bool)].reset_index(drop=True)
    at = positions(e["pod_uid"], pod_context["pod_uid"])
    account = looked_up(pod_context, at, "service_account", e)
    known = (service_accounts["namespace"], service_accounts["name"])
    role = matched((e["namespace"], account), known)
    stands_for = arrow(looked_up(service_accounts, role, "cloud_identity", e))
    identity = series(pc.is_valid(stands_for), e)
    shown = [
        arrow(found["pod_uid"][text_is(found["source"], "secret").to_numpy(bool)])
        for found in (volumes, projections)
    ]
    mounted = series(positions(arrow(e["pod_uid"]), pa.concat_arrays(shown)) >= 0, e)
    columns = CLOUD_CREDENTIALS.names
    found: dict[str, Any] = {name: e[name] for name in columns if name in e.columns}
    found |= {
        "service_account": account.fillna(""),
        "cloud_identity": identity,
        "of_secret": mounted,
        "static": (~text_is(e["variable"], *_FILES) | mounted) & ~identity,
    }
    return assembled(e, found, columns)
