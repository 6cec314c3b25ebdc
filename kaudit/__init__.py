"""Security audits of Kubernetes from evidence: collect, assess, correlate, report."""

__version__ = "0.1.0"
