"""The cluster of the tests is what the tests take it for."""

from tests.integration.cluster import Cluster
from tests.integration.engines.pins import programs


def test_the_server_is_ready_and_of_the_pinned_version(cluster: Cluster) -> None:
    assert cluster.request("GET", "/readyz").body == "ok"
    version = cluster.request("GET", "/version").body["gitVersion"]
    assert version == programs()["kube-apiserver"].version


def test_what_an_account_may_not_do_is_refused_and_audited(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", "accounts")
    token = cluster.token("accounts", "nobody")
    answer = cluster.request("GET", "/api/v1/namespaces/accounts/pods", token=token)
    assert answer.status == 403
    user = "system:serviceaccount:accounts:nobody"
    (event,) = [event for event in cluster.audited() if event["user"]["username"] == user]
    assert (event["verb"], event["objectRef"]["resource"]) == ("list", "pods")
    assert event["annotations"]["authorization.k8s.io/decision"] == "forbid"


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: owners}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: registry.example.org/web:1}]}
"""


def test_controllers_make_pods(cluster_with_controllers: Cluster) -> None:
    cluster = cluster_with_controllers
    cluster.kubectl("create", "namespace", "owners")
    cluster.kubectl("apply", "-f", "-", given=DEPLOYMENT)
    progress = "jsonpath={.status.unavailableReplicas}=2"
    cluster.kubectl("wait", "-n", "owners", "deployment/web", f"--for={progress}", "--timeout=30s")
    pods = cluster.kubectl("get", "pods", "-n", "owners", "-o", "name").split()
    assert len(pods) == 2
