"""
A reader of kustomize folders: no more of kustomize than deploy/kubernetes uses,
and an error for the rest, so that the manifests stay simple and can be read
where there is no kubectl.

    objects = kustomize.build("deploy/kubernetes/overlays/webhook")
    objects["Deployment", "torii", "torii"]["spec"]
"""

import copy
import pathlib
import re

import yaml


CLUSTER_KINDS = {"Namespace", "ClusterRole", "ClusterRoleBinding",
                 "IngressClass", "ValidatingWebhookConfiguration"}


def key(obj):
    meta = obj["metadata"]
    return obj["kind"], meta.get("namespace"), meta["name"]


def build(folder):
    """All objects of a folder: {(kind, namespace or None, name): object}."""
    objects = {}
    load(pathlib.Path(folder), objects)
    return objects


def load(folder, objects):
    path = folder / "kustomization.yaml"
    config = yaml.safe_load(path.read_text())
    own = {}

    kind = config.pop("kind")
    assert kind in ("Kustomization", "Component"), path
    assert config.pop("apiVersion").startswith("kustomize.config.k8s.io/")

    # a component changes what is there already
    target = objects if kind == "Component" else own

    for name in config.pop("resources", []):
        if (folder / name).is_dir():
            load(folder / name, target)
        else:
            for obj in yaml.safe_load_all((folder / name).read_text()):
                add(target, obj)

    for name in config.pop("components", []):
        load(folder / name, target)

    for generator in config.pop("configMapGenerator", []):
        generate(folder, target, generator)

    if "namespace" in config:
        set_namespace(target, config.pop("namespace"))
    elif kind == "Component":
        name_accounts(target)

    for patch in config.pop("patches", []):
        apply(target, patch)

    for label in config.pop("labels", []):
        for obj in target.values():
            obj["metadata"].setdefault("labels", {}).update(label["pairs"])

    for image in config.pop("images", []):
        set_image(target, image)

    assert not config, f"{path}: unknown {sorted(config)}"

    if kind == "Kustomization":
        for obj in own.values():
            add(objects, obj)


def add(objects, obj):
    assert key(obj) not in objects, f"{key(obj)} is there twice"
    objects[key(obj)] = obj


def generate(folder, objects, generator):
    name, namespace = generator["name"], generator.get("namespace")
    data = {f: (folder / f).read_text() for f in generator["files"]}

    if generator.get("behavior") == "merge":
        objects["ConfigMap", namespace, name]["data"].update(data)
        return

    add(objects, {"apiVersion": "v1", "kind": "ConfigMap",
                  "metadata": {"name": name}, "data": data})


def set_namespace(objects, namespace):
    for obj in list(objects.values()):
        if obj["kind"] not in CLUSTER_KINDS:
            del objects[key(obj)]
            obj["metadata"]["namespace"] = namespace
            add(objects, obj)

    name_accounts(objects)


def name_accounts(objects):
    """A binding's account without a namespace is the one of that name."""
    accounts = {k[2]: k[1] for k in objects if k[0] == "ServiceAccount"}

    for obj in objects.values():
        for subject in obj.get("subjects", []):
            subject.setdefault("namespace", accounts[subject["name"]])


def set_image(objects, image):
    for obj in objects.values():
        pod = obj.get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers", []):
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"


def apply(objects, patch):
    body = yaml.safe_load(patch["patch"])

    if isinstance(body, dict):
        assert body.pop("$patch") == "delete", "only deletions are read here"
        found = [k for k in objects if k[0] == body["kind"]
                 and k[2] == body["metadata"]["name"]]
        assert len(found) == 1, f"{body}: {found}"
        del objects[found[0]]
        return

    target = patch["target"]
    found = [k for k in objects if k[0] == target["kind"]
             and k[2] == target["name"]]
    assert len(found) == 1, f"{target}: {found}"

    obj = objects.pop(found[0])
    for operation in body:
        operate(obj, operation)
    add(objects, obj)

    assert (obj["kind"] == target["kind"]
            or patch.get("options", {}).get("allowKindChange"))


def operate(obj, operation):
    """RFC 6902, without test, move and copy."""
    steps = [s.replace("~1", "/").replace("~0", "~")
             for s in operation["path"].split("/")[1:]]
    parent, op, last = obj, operation["op"], steps[-1]

    for step in steps[:-1]:
        parent = parent[int(step) if isinstance(parent, list) else step]

    value = copy.deepcopy(operation.get("value"))

    if isinstance(parent, list):
        if op == "add" and last == "-":
            parent.append(value)
        elif op == "add":
            parent.insert(int(last), value)
        elif op == "replace":
            parent[int(last)] = value
        else:
            assert op == "remove", operation
            del parent[int(last)]
        return

    if op != "add":
        assert last in parent, operation

    if op == "remove":
        del parent[last]
    else:
        assert op in ("add", "replace"), operation
        parent[last] = value


def unhash(text):
    """The output of kubectl, without the hashes in the names of ConfigMaps."""
    return re.sub(r"\b(torii-nginx)-[a-z0-9]{10}\b", r"\1", text)
