"""
Builders of Kubernetes objects as tests need them: short to write, whole as
kubectl would take them.
"""

import base64
import collections
import json
import re
import time

import yaml


PREFIX = "nginx.ingress.kubernetes.io/"

# Where a backend listens.
Address = collections.namedtuple("Address", "host port")


def metadata(name, namespace="default", annotations=None, labels=None,
             created=None):
    """created counts seconds since 1970."""
    out = {"name": name, "namespace": namespace}

    if annotations:
        out["annotations"] = annotations
    if labels:
        out["labels"] = labels
    if created is not None:
        out["creationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                 time.gmtime(created))
    return out


def annotate(short, full=None):
    """proxy_body_size="0" is nginx.ingress.kubernetes.io/proxy-body-size; names
    that need another prefix come whole in the dict full."""
    out = {PREFIX + name.replace("_", "-"): str(value)
           for name, value in short.items() if value is not None}
    out.update(full or {})
    return out


def backend_ref(service, port=80):
    key = "number" if isinstance(port, int) else "name"
    return {"service": {"name": service, "port": {key: port}}}


def path(text="/", service="echo", port=80, type="Prefix"):
    """A path of a rule; type None leaves pathType out, text None the path."""
    out = {"backend": backend_ref(service, port)}

    if text is not None:
        out["path"] = text
    if type is not None:
        out["pathType"] = type

    return out


def rule(host, *paths):
    """host None is every host; no paths is a rule without http."""
    out = {}

    if host is not None:
        out["host"] = host
    if paths:
        out["http"] = {"paths": list(paths)}

    return out


def ingress(name, *rules, namespace="default", tls=None, default=None,
            class_name=None, annotations=None, created=None, **short):
    """tls is [(secret, [hosts])] or [{…}]; default a Service's name or a
    backend; further keywords are annotations, see annotate()."""
    spec = {}

    if rules:
        spec["rules"] = list(rules)
    if class_name is not None:
        spec["ingressClassName"] = class_name
    if default is not None:
        spec["defaultBackend"] = (default if isinstance(default, dict)
                                  else backend_ref(default))
    if tls is not None:
        spec["tls"] = [t if isinstance(t, dict) else
                       {"secretName": t[0], "hosts": list(t[1])} for t in tls]

    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": metadata(name, namespace,
                                 annotate(short, annotations),
                                 created=created),
            "spec": spec}


def ingress_class(name, controller="k8s.io/ingress-nginx"):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": name}, "spec": {"controller": controller}}


def service(name, port=80, target=None, namespace="default", port_name=None,
            external=None, cluster_ip=None, annotations=None):
    """external is the name of an ExternalName Service."""
    entry = {"port": port, "protocol": "TCP"}
    spec = {"ports": [entry]}

    if target is not None:
        entry["targetPort"] = target
    if port_name is not None:
        entry["name"] = port_name
    if external is not None:
        spec.update(type="ExternalName", externalName=external)
    if cluster_ip is not None:
        spec["clusterIP"] = cluster_ip

    return {"apiVersion": "v1", "kind": "Service",
            "metadata": metadata(name, namespace, annotations), "spec": spec}


def endpoint_slice(service, addresses, port, namespace="default",
                   port_name="", name=None, conditions=None,
                   family="IPv4"):
    """conditions, as {"ready": False}, hold for all addresses of the slice."""
    endpoint = {"conditions": conditions} if conditions is not None else {}

    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": metadata(name or f"{service}-{port}", namespace,
                                 labels={"kubernetes.io/service-name":
                                         service}),
            "addressType": family,
            "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
            "endpoints": [dict(endpoint, addresses=[a]) for a in addresses]}


def backend(name, *addresses, namespace="default", port=80):
    """A Service and the EndpointSlices that lead to the addresses: one slice
    for each port.  No address: a Service without endpoints."""
    ports = {}

    for address in addresses:
        ports.setdefault(address.port, []).append(address.host)

    return [service(name, port, namespace=namespace)] + [
        endpoint_slice(name, hosts, number, namespace,
                       family="IPv6" if ":" in hosts[0] else "IPv4")
        for number, hosts in ports.items()]


def secret(name, data, namespace="default", type="Opaque"):
    return {"apiVersion": "v1", "kind": "Secret", "type": type,
            "metadata": metadata(name, namespace),
            "data": {key: base64.b64encode(
                        v if isinstance(v, bytes) else v.encode()).decode()
                     for key, v in data.items()}}


def tls_secret(name, pair, namespace="default", ca=None):
    """pair is a certificate.Pair, ca a PEM text for ca.crt."""
    data = {"tls.crt": pair.chain, "tls.key": pair.key}

    if ca:
        data["ca.crt"] = ca

    return secret(name, data, namespace, "kubernetes.io/tls")


def config_map(name, data, namespace="default"):
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": metadata(name, namespace),
            "data": {k: str(v) for k, v in data.items()}}


def label(text):
    """A host or path as the name of an object."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def route(host, *addresses, path_text="/", type="Prefix", name=None, tls=None,
          namespace="default", annotations=None, created=None, **short):
    """All objects that lead host + path to the addresses: Ingress, Service and
    EndpointSlices, named after the host.  tls is a certificate.Pair."""
    name = name or label(f"{host or 'any'}{path_text}")
    docs = backend(name, *addresses, namespace=namespace)
    entry = None

    if tls is not None:
        docs.append(tls_secret(name, tls, namespace))
        entry = [(name, [host])]

    docs.append(ingress(name, rule(host, path(path_text, name, type=type)),
                        namespace=namespace, tls=entry, created=created,
                        annotations=annotations, **short))
    return docs


def flatten(docs):
    out = []

    for doc in docs:
        out.extend(flatten(doc) if isinstance(doc, (list, tuple)) else [doc])

    return out


def dump_yaml(*docs):
    return yaml.dump_all(flatten(docs), Dumper=yaml.CSafeDumper,
                         sort_keys=False)


def dump_json(*docs):
    """One List: what kubectl get -o json prints, and quick to make."""
    return json.dumps({"apiVersion": "v1", "kind": "List",
                       "items": flatten(docs)})
