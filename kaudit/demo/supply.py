"""How the demo's images were made: Dockerfiles, a workflow, signatures, provenance, exceptions.

Texts are as their tools and authors write them; the project is made up. Dates of the catalogue
of exploited flaws are those of CISA; scores of EPSS are rounded.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

import msgspec

from kaudit.demo import registries
from kaudit.demo.objects import Json, digest
from kaudit.demo.scans import IMAGES, Scanned

_GOOD = """\
# syntax=docker/dockerfile:1
FROM docker.io/library/golang:1.26@{golang} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download && go vet ./...
COPY --chown=65532:65532 . .
RUN CGO_ENABLED=0 go build -o /out/tracker ./cmd/tracker

FROM gcr.io/distroless/static-debian12:nonroot@{distroless}
LABEL org.opencontainers.image.source="https://git.northwind.example/tracker"
COPY --from=build /out/tracker /tracker
USER 65532
ENTRYPOINT ["/tracker"]
"""
_BAD = """\
FROM node:latest
ENV NPM_TOKEN=npm_kept_by_no_one_0123456789abcdef
ADD https://downloads.northwind.example/fonts.tar.gz /usr/share/fonts/
RUN apt-get update && apt-get install -y curl sudo
RUN curl -s https://get.northwind.example/setup.sh | bash
COPY . .
RUN npm install
CMD npm start
"""
_WORKFLOW = """\
name: build
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with: {persist-credentials: false}
      - run: docker build --tag "registry.northwind.example/tracker:$GITHUB_SHA" .
      - name: Scan the image
        uses: aquasecurity/trivy-action@master
        with:
          image-ref: registry.northwind.example/tracker:${{ github.sha }}
          severity: CRITICAL,HIGH
          exit-code: "1"
      - name: Scan it again
        run: grype "registry.northwind.example/tracker:$GITHUB_SHA" --fail-on high || true
      - name: Lint the Dockerfile
        uses: hadolint/hadolint-action@v3.1.0
        with: {dockerfile: Dockerfile}
      - name: Sign
        run: cosign sign --yes "registry.northwind.example/tracker@$DIGEST"
"""
_IGNORED = """\
# reviewed with the platform team
CVE-2005-2541 exp:2026-12-31
CVE-2021-23337
"""
_SIGNER = "https://git.northwind.example/platform/.github/workflows/build.yml@refs/heads/main"
_ISSUER = "https://token.git.northwind.example"
_SIGNED = ("cart", "catalog", "checkout", "labels", "ledger", "routes", "search", "tracker")

_LISTED = {
    "tracker": (("base-files", "12.4"), ("netbase", "6.4"), ("tzdata", "2026a-0")),
    "notify": (("apt", "2.6.1"), ("bash", "5.2.15"), ("curl", "7.88.1"), ("npm", "10.8.2")),
    "importer": (("bash", "5.2.15"), ("dpkg", "1.21.22"), ("openssh-server", "1:9.2p1")),
}
#: What a kubelet is told that is set up well, and tells.
_KUBELET = {
    "authentication": {
        "anonymous": {"enabled": False},
        "webhook": {"enabled": True},
        "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
    },
    "authorization": {"mode": "Webhook"},
    "readOnlyPort": 0,
    "rotateCertificates": True,
    "serverTLSBootstrap": True,
    "podPidsLimit": 4096,
    "seccompDefault": True,
    "streamingConnectionIdleTimeout": "4h0m0s",
    "makeIPTablesUtilChains": True,
}


def files() -> Iterator[tuple[str, bytes]]:
    """Yield each file with its name."""
    good = _GOOD.format(golang=digest("golang"), distroless=digest("distroless"))
    yield "build/tracker/Dockerfile", good.encode()
    yield "build/notify/Dockerfile", _BAD.encode()
    yield "build/tracker/.github/workflows/build.yml", _WORKFLOW.encode()
    yield "build/tracker/.trivyignore", _IGNORED.encode()
    yield "build/hadolint.json", _json(_hadolint())
    yield "build/kubesec.json", _json(_kubesec())
    yield "build/notify.sarif", _json(_sarif())
    keys = {"aescbc": {"keys": [{"name": "k1", "secret": "cmVkYWN0ZWQ="}]}}
    entry = {"resources": ["secrets"], "providers": [{"identity": {}}, keys]}
    api = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "EncryptionConfiguration"}
    yield "control-plane/encryption.json", _json({**api, "resources": [entry]})
    yield "control-plane/admission.json", _json(_admission())
    yield "control-plane/audit-policy.json", _json(_audit_policy())
    api = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
    yield "control-plane/scheduler.json", _json({**api, "enableProfiling": False})
    yield "nodes/node-a/configz.json", _json({"kubeletconfig": _KUBELET})
    old = {"authentication": {"anonymous": {"enabled": True}}, "readOnlyPort": 10255}
    api = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    yield "nodes/node-d/kubelet.json", _json(api | old)
    status = {"initialized": True, "sealed": False, "standby": False, "version": "1.20.3"}
    status |= {"type": "shamir", "t": 1, "n": 1, "storage_type": "raft"}
    yield "vault/status.json", _json(status)
    for image in (image for image in IMAGES if _short(image) in _SIGNED):
        yield f"signatures/{_short(image)}.json", _json(_signature(image))
    yield "signatures/cosign-notify.txt", _unsigned("notify").encode()
    yield "signatures/myapp.json", _json(_by_stranger())
    for name in ("tracker", "cart"):
        yield f"provenance/{name}.intoto.jsonl", _json(_provenance(_image(name)))
    for name, packages in _LISTED.items():
        yield f"sbom/{name}.cdx.json", _json(_bill(_image(name), packages))
    yield "vex/ledger.openvex.json", _json(_statements())
    yield "scans/runs.json", _json(_runs())
    yield "catalogues/known_exploited_vulnerabilities.json", _json(_exploited())
    yield "catalogues/epss_scores-2026-05-31.csv", _scores().encode()
    yield from registries.files()


def _json(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _short(image: Scanned) -> str:
    return image.name.rpartition("/")[2]


def _image(short: str) -> Scanned:
    return next(image for image in IMAGES if _short(image) == short)


def _digest(image: Scanned) -> str:
    return digest(image.written or f"{image.name}:{image.tag}")


def _signed(image: Scanned, signer: str, issuer: str) -> list[Json]:
    return [
        {
            "critical": {
                "identity": {"docker-reference": image.name},
                "image": {"docker-manifest-digest": _digest(image)},
                "type": "cosign container image signature",
            },
            "optional": {"Issuer": issuer, "Subject": signer, "Bundle": _log(image)},
        }
    ]


def _log(image: Scanned) -> Json:
    index = int(_digest(image)[7:14], 16)
    return {"Payload": {"logIndex": index, "integratedTime": 1_772_352_000, "logID": "c0d23d6a"}}


def _signature(image: Scanned) -> list[Json]:
    return _signed(image, _SIGNER, _ISSUER)


def _by_stranger() -> list[Json]:
    return _signed(_image("myapp"), "someone@mail.example", "https://accounts.mail.example")


def _unsigned(short: str) -> str:
    image = _image(short)
    return (
        f"$ cosign verify --certificate-identity {_SIGNER} {image.name}@{_digest(image)}\n"
        f"Verification for {image.name}@{_digest(image)} --\n"
        "Error: no signatures found\n"
        "main.go:69: error during command execution: no signatures found\n"
    )


def _provenance(image: Scanned) -> Json:
    source = f"https://git.northwind.example/{_short(image)}"
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": image.name, "digest": {"sha256": _digest(image)[7:]}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                "externalParameters": {
                    "workflow": {"repository": source, "ref": "refs/heads/main"}
                },
                "resolvedDependencies": [
                    {"uri": f"git+{source}@refs/heads/main", "digest": {"gitCommit": "1" * 40}}
                ],
            },
            "runDetails": {
                "builder": {"id": "https://git.northwind.example/runners/hosted"},
                "metadata": {
                    "invocationId": f"{source}/actions/runs/7",
                    "startedOn": "2026-03-01T07:50:00Z",
                    "finishedOn": "2026-03-01T08:00:00Z",
                },
            },
        },
    }
    payload = base64.b64encode(msgspec.json.encode(statement)).decode()
    signatures = [{"keyid": "", "sig": base64.b64encode(b"made up").decode()}]
    return {
        "payloadType": "application/vnd.in-toto+json",
        "payload": payload,
        "signatures": signatures,
    }


def _bill(image: Scanned, packages: tuple[tuple[str, str], ...]) -> Json:
    repository = image.name.replace("/", "%2F")
    short = _short(image)
    purl = f"pkg:oci/{short}@{_digest(image).replace(':', '%3A')}?repository_url={repository}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": "2026-03-01T08:01:00Z",
            "tools": {"components": [{"type": "application", "name": "syft", "version": "1.38"}]},
            "component": {"type": "container", "name": f"{image.name}:{image.tag}", "purl": purl},
        },
        "components": [
            {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:deb/debian/{name}@{version}",
                "licenses": [{"license": {"id": "GPL-2.0-or-later"}}],
            }
            for name, version in packages
        ],
    }


def _hadolint() -> list[Json]:
    found = (
        (1, "DL3007", "warning", "Using latest is prone to errors if the image will ever update"),
        (3, "DL3020", "error", "Use COPY instead of ADD for files and folders"),
        (4, "DL3008", "warning", "Pin versions in apt get install"),
        (4, "DL3004", "error", "Do not use sudo as it leads to unpredictable behavior"),
        (5, "DL4006", "warning", "Set the SHELL option -o pipefail before RUN with a pipe in it"),
        (8, "DL3025", "warning", "Use arguments JSON notation for CMD and ENTRYPOINT arguments"),
    )
    return [
        {
            "file": "build/notify/Dockerfile",
            "line": line,
            "column": 1,
            "code": code,
            "level": level,
            "message": message,
        }
        for line, code, level, message in found
    ]


def _kubesec() -> list[Json]:
    return [
        {
            "object": "Deployment/notify.storefront",
            "valid": True,
            "fileName": "notify.yaml",
            "message": "Passed with a score of 4 points",
            "score": 4,
            "scoring": {
                "passed": [
                    {
                        "id": "LimitsCPU",
                        "selector": "containers[] .resources .limits .cpu",
                        "reason": "Enforcing CPU limits prevents DOS via resource exhaustion",
                        "points": 1,
                    }
                ],
                "advise": [
                    {
                        "id": "ApparmorAny",
                        "selector": '.metadata .annotations ."container.apparmor"',
                        "reason": "Well defined AppArmor policies may provide greater protection",
                        "points": 3,
                    }
                ],
            },
        }
    ]


def _sarif() -> Json:
    rule = {
        "id": "js/prototype-pollution",
        "shortDescription": {"text": "Prototype-polluting assignment"},
        "properties": {"security-severity": "8.1"},
    }
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": "src/templates.js"},
            "region": {"startLine": 41},
        }
    }
    result = {
        "ruleId": rule["id"],
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "This assignment may alter Object.prototype."},
        "locations": [place],
    }
    driver = {"name": "CodeQL", "semanticVersion": "2.23.0", "rules": [rule]}
    return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": [result]}]}


def _statements() -> Json:
    ledger = _image("ledger")
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://northwind.example/vex/ledger-1",
        "author": "payments@northwind.example",
        "timestamp": "2026-05-20T09:00:00Z",
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": "CVE-2022-22965"},
                "products": [{"@id": f"pkg:oci/ledger@{_digest(ledger)}"}],
                "status": "not_affected",
                "justification": "vulnerable_code_not_in_execute_path",
                "impact_statement": "the service binds no request to beans",
            },
            {
                "vulnerability": {"name": "CVE-2023-4911"},
                "products": [{"@id": f"pkg:oci/ledger@{_digest(ledger)}"}],
                "status": "under_investigation",
            },
        ],
    }


def _audit_policy() -> Json:
    """What the audit log holds: little of what robots do, and much of what teams configure."""
    secrets = {"group": "", "resources": ["secrets", "serviceaccounts/token"]}
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts"], "verbs": ["get", "list"]},
            {"level": "Metadata", "resources": [secrets]},
            {"level": "Request", "resources": [{"group": ""}, {"group": "apps"}]},
            {"level": "Metadata"},
        ],
    }


def _admission() -> Json:
    """What the API server enforces where no label says anything."""
    settings = {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "privileged", "audit": "baseline", "warn": "baseline"},
        "exemptions": {"namespaces": ["kube-system"]},
    }
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [{"name": "PodSecurity", "configuration": settings}],
    }


def _exploited() -> Json:
    listed = (
        ("CVE-2021-44228", "Apache", "Log4j2", "2021-12-10", "2021-12-24", "Known"),
        ("CVE-2022-22965", "VMware", "Spring Framework", "2022-04-04", "2022-04-25", "Unknown"),
        ("CVE-2023-4911", "GNU", "GNU C Library", "2023-11-21", "2023-12-12", "Unknown"),
    )
    return {
        "title": "CISA Catalog of Known Exploited Vulnerabilities",
        "catalogVersion": "2026.05.29",
        "dateReleased": "2026-05-29T14:00:00.0000Z",
        "count": len(listed),
        "vulnerabilities": [
            {
                "cveID": cve,
                "vendorProject": vendor,
                "product": product,
                "vulnerabilityName": f"{product} vulnerability",
                "dateAdded": added,
                "shortDescription": "",
                "requiredAction": "Apply updates per vendor instructions.",
                "dueDate": due,
                "knownRansomwareCampaignUse": ransomware,
                "notes": "",
            }
            for cve, vendor, product, added, due, ransomware in listed
        ],
    }


def _runs() -> Json:
    """What kaudit noted when it ran a scanner itself: one answer was not waited for."""
    image = "docker.io/library/docker"
    failed = {
        "tool": "grype",
        "kind": "Image",
        "target": f"{image}@{digest(f'{image}:latest')}",
        "digest": digest(f"{image}:latest"),
        "outcome": "failed",
        "version": "0.104.0",
        "program_digest": digest("grype 0.104.0"),
        "database_version": "v6.1.2",
        "database_built_at": "2026-05-30T18:20:00Z",
        "reason": "timeout",
        "detail": "no answer within 600 s; --time-limit gives more",
    }
    return {"schema": "kaudit/runs/v1", "runs": [failed]}


def _scores() -> str:
    scores = (
        ("CVE-2005-2541", 0.01, 0.8),
        ("CVE-2021-23337", 0.01, 0.8),
        ("CVE-2021-44228", 0.94, 0.9999),
        ("CVE-2021-44906", 0.01, 0.85),
        ("CVE-2022-22965", 0.94, 0.9998),
        ("CVE-2022-24999", 0.03, 0.9),
        ("CVE-2022-37434", 0.92, 0.997),
        ("CVE-2023-32681", 0.06, 0.9),
        ("CVE-2023-38545", 0.26, 0.96),
        ("CVE-2023-39325", 0.01, 0.6),
        ("CVE-2023-4911", 0.6, 0.98),
    )
    head = "#model_version:v2025.03.14,score_date:2026-05-31T00:00:00+0000\ncve,epss,percentile\n"
    return head + "".join(f"{cve},{score},{share}\n" for cve, score, share in scores)
