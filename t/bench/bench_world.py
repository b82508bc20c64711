"""
The objects of the bench: so many applications, each in a file of its own with
an Ingress, its Service and its EndpointSlice, and with a certificate if asked
for.  Every application has two ways to answer: "a" and "b".
"""

import base64
import os
import pathlib


INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: app-{i}
  namespace: team-{team}
  creationTimestamp: "2024-03-01T10:{minute:02}:{second:02}Z"
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: 8m
    nginx.ingress.kubernetes.io/proxy-read-timeout: "{timeout}"
    nginx.ingress.kubernetes.io/ssl-redirect: "false"
spec:
  ingressClassName: nginx
{tls}  rules:
  - host: {host}
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: app-{i}
            port:
              number: {service}
      - path: /api/v1
        pathType: Prefix
        backend:
          service:
            name: app-{i}
            port:
              number: {service}
---
apiVersion: v1
kind: Service
metadata:
  name: app-{i}
  namespace: team-{team}
spec:
  ports:
  - name: one
    port: 80
    targetPort: one
  - name: two
    port: 81
    targetPort: two
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: app-{i}-x7k2p
  namespace: team-{team}
  labels:
    kubernetes.io/service-name: app-{i}
addressType: IPv4
ports:
- name: one
  port: {one}
  protocol: TCP
- name: two
  port: {two}
  protocol: TCP
endpoints:
- addresses:
  - 127.0.0.1
  conditions:
    ready: true
"""

TLS = """\
  tls:
  - hosts:
    - {host}
    secretName: app-{i}-tls
"""

SECRET = """\
---
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata:
  name: app-{i}-tls
  namespace: team-{team}
data:
  tls.crt: {chain}
  tls.key: {key}
"""


def host(i):
    return f"app-{i}.team-{i % 97}.example.com"


class World:
    """The folder of n applications whose answers come from ports a and b."""

    def __init__(self, folder, n, a, b, authority=None):
        self.folder = pathlib.Path(folder)
        self.n, self.a, self.b = n, a, b
        self.authority = authority
        self.endpoint = [False] * n     # the slice leads to b
        self.route = [False] * n        # the Ingress names the other port

        for team in range(97):
            (self.folder / f"team-{team}").mkdir(parents=True)

        self.secrets = [self.secret(i) for i in range(n)]

        for i in range(n):
            self.path(i).write_text(self.text(i))

    host = staticmethod(host)

    def secret(self, i):
        if self.authority is None:
            return ""

        pair = self.authority.issue(host(i))

        return SECRET.format(
            i=i, team=i % 97,
            chain=base64.b64encode(pair.chain.encode()).decode(),
            key=base64.b64encode(pair.key.encode()).decode())

    def path(self, i):
        return self.folder / f"team-{i % 97}" / f"app-{i}.yaml"

    def text(self, i):
        one, two = (self.b, self.a) if self.endpoint[i] else (self.a, self.b)
        return INGRESS.format(
            i=i, team=i % 97, host=host(i), minute=i // 60 % 60,
            second=i % 60, timeout=60 + i % 10, one=one, two=two,
            service=81 if self.route[i] else 80,
            tls=TLS.format(i=i, host=host(i)) if self.authority else "",
        ) + self.secrets[i]

    def change(self, i, route):
        """Lead application i to its other answer, by its Ingress (route) or by
        its EndpointSlice; returns the answer that is right from now on."""
        which = self.route if route else self.endpoint
        which[i] = not which[i]

        path = self.path(i)
        temporary = path.with_name("." + path.name)
        temporary.write_text(self.text(i))
        os.rename(temporary, path)

        return b"b" if self.endpoint[i] != self.route[i] else b"a"
