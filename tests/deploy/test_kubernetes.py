"""The manifests: valid by their schemas, and naming what the code and the image really have."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy" / "kubernetes"
VERSION = "1.34"
PROXY = "nginxinc/nginx-unprivileged:1.29"
VALUES = yaml.safe_load((MANIFESTS / "values.yaml").read_text())
DOCKERFILE = (ROOT / "deploy" / "image" / "Dockerfile").read_text()


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(MANIFESTS.glob("*.yaml")):
        for body in yaml.safe_load_all(path.read_text()):
            if "kind" in body:
                yield f"{path.name}: {body['kind']} {body['metadata']['name']}", body


DOCUMENTS = dict(documents())


def walk(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        yield body
        for value in body.values():
            yield from walk(value)
    elif isinstance(body, list):
        for value in body:
            yield from walk(value)


@pytest.mark.parametrize("name", [name for name, body in DOCUMENTS.items() if "kubeflow" not in body["apiVersion"]])
def test_a_manifest_fits_the_schema_of_kubernetes(name: str) -> None:
    kubernetes_validate.validate(DOCUMENTS[name], VERSION, strict=True)


def test_a_wrong_manifest_does_not() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"n": 1}}, VERSION, strict=True
        )


def test_the_training_runtime_fits_the_schema_of_kubeflow_and_its_pods_that_of_kubernetes() -> None:
    from kubeflow_trainer_api.models import TrainerV1alpha1TrainingRuntime

    body = DOCUMENTS["training-runtime.yaml: TrainingRuntime hallmark-torch"]
    runtime = TrainerV1alpha1TrainingRuntime.from_dict(body)
    assert runtime is not None and runtime.to_dict() == body
    (job,) = body["spec"]["template"]["spec"]["replicatedJobs"]
    pod = job["template"]["spec"]["template"]
    kubernetes_validate.validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "node"}, "spec": pod["spec"]}, VERSION, strict=True
    )


def test_every_variable_is_one_that_the_code_reads() -> None:
    code = "\n".join(
        path.read_text()
        for room in ("assets", "resources", "pipelines", "expectations")
        for path in (ROOT / room).rglob("*.py")
    )
    named = set(re.findall(r"\bHALLMARK_[A-Z0-9_]+", "\n".join(path.read_text() for path in MANIFESTS.glob("*.yaml"))))
    named |= set(DOCUMENTS["workspace.yaml: ConfigMap hallmark-config"]["data"])
    assert len(named) > 5
    # Most are read under their whole name; the project's addresses by their last part.
    short = set(re.findall(r'said\("([A-Z_]+)"\)', code))
    unread = {name for name in named if f'"{name}"' not in code and name.removeprefix("HALLMARK_") not in short}
    assert not unread


def test_images_volumes_secrets_and_ports_are_the_same_everywhere() -> None:
    everything = [*DOCUMENTS.values(), VALUES]
    claims = {each["claimName"] for body in everything for each in walk(body) if "claimName" in each}
    assert claims == {DOCUMENTS["workspace.yaml: PersistentVolumeClaim hallmark-workspace"]["metadata"]["name"]}
    configs = {each["configMapRef"]["name"] for body in everything for each in walk(body) if "configMapRef" in each}
    assert configs == {DOCUMENTS["workspace.yaml: ConfigMap hallmark-config"]["metadata"]["name"]}
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    image = f"{deployment['image']['repository']}:{deployment['image']['tag']}"
    images = {each["image"] for body in DOCUMENTS.values() for each in walk(body) if isinstance(each.get("image"), str)}
    assert images - {PROXY} == {image}
    assert f"EXPOSE {deployment['port']}" in DOCKERFILE
    mounts = {
        each["mountPath"]
        for body in everything
        for each in walk(body)
        if each.get("name") == "workspace" and "mountPath" in each
    }
    assert mounts == {DOCUMENTS["workspace.yaml: ConfigMap hallmark-config"]["data"]["HALLMARK_HOME"]}
    assert f"HALLMARK_HOME={mounts.pop()}" in DOCKERFILE


def test_a_run_is_never_retried_and_the_limit_names_a_tag_that_runs_carry() -> None:
    from pipelines.execution import GPU_TAG

    daemon = VALUES["dagsterDaemon"]
    assert daemon["runRetries"] == {"enabled": False, "retryOnAssetOrOpFailure": False}
    (limit,) = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]["tagConcurrencyLimits"]
    assert limit["key"] == GPU_TAG
    launcher = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
    assert launcher["runK8sConfig"]["jobSpecConfig"]["backoffLimit"] == 0


def test_no_pod_runs_as_root_or_writes_its_root() -> None:
    pods = [each for body in (*DOCUMENTS.values(), VALUES) for each in walk(body) if "runAsNonRoot" in each]
    assert pods and all(pod["runAsNonRoot"] and pod["runAsUser"] == 10001 for pod in pods)
    containers = [
        each for body in (*DOCUMENTS.values(), VALUES) for each in walk(body) if "readOnlyRootFilesystem" in each
    ]
    assert containers and all(
        each["readOnlyRootFilesystem"] and not each["allowPrivilegeEscalation"] for each in containers
    )
    assert "USER 10001" in DOCKERFILE


def test_the_image_copies_what_is_there_and_installs_what_a_run_pod_loads() -> None:
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert copied and all((ROOT / name).exists() for name in copied)
    assert "-r requirements-cluster.lock" in DOCKERFILE
    lock = (ROOT / "requirements-cluster.lock").read_text()
    assert all(f"{name}==" in lock for name in ("dagster-k8s", "dagster-postgres", "kubeflow", "kfp-kubernetes"))
    assert re.search(r"^FROM \$\{BASE\}", DOCKERFILE, re.MULTILINE) and "ARG BASE\n" in DOCKERFILE


def test_a_command_in_a_pod_is_one_and_its_probes_ask_the_port_it_listens_on() -> None:
    import click

    from pipelines.command import hallmark

    pods = [body for name, body in DOCUMENTS.items() if ": Deployment" in name]
    assert {body["metadata"]["name"] for body in pods} == {"hallmark-gateway", "hallmark-desk"}
    for body in pods:
        served, proxy = body["spec"]["template"]["spec"]["containers"]
        program, name, *words = served["args"]
        command = hallmark.get_command(click.Context(hallmark), name)
        assert program == "hallmark" and command is not None
        given, left, _ = command.make_parser(click.Context(command)).parse_args(words)
        assert not left
        for probe in ("startupProbe", "livenessProbe"):
            assert f"http://127.0.0.1:{given['port']}/" in served[probe]["exec"]["command"][-1]
        volumes = {each["name"]: each for each in body["spec"]["template"]["spec"]["volumes"]}
        said = volumes["proxy"]["configMap"]["name"]
        config = next(each for each in DOCUMENTS.values() if each["metadata"]["name"] == said)
        assert f"http://127.0.0.1:{given['port']};" in "".join(config["data"].values())
        assert f"listen {proxy['ports'][0]['containerPort']} ssl" in "".join(config["data"].values())


def test_the_desk_has_one_address_and_its_proxy_is_the_only_way_in() -> None:
    pod = DOCUMENTS["desk.yaml: Deployment hallmark-desk"]["spec"]["template"]
    served, proxy = pod["spec"]["containers"]
    host = served["args"][served["args"].index("--url") + 1].removeprefix("https://")
    for probe in ("startupProbe", "livenessProbe"):  # the desk refuses any other Host
        assert f'"Host": "{host}"' in served[probe]["exec"]["command"][-1]
    config = "".join(DOCUMENTS["desk.yaml: ConfigMap hallmark-desk-proxy"]["data"].values())
    assert f"server_name {host};" in config and "proxy_set_header Host $host;" in config
    policy = DOCUMENTS["desk.yaml: NetworkPolicy hallmark-desk-ingress"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (rule,) = policy["ingress"]
    assert rule["from"] and [each["port"] for each in rule["ports"]] == [proxy["ports"][0]["containerPort"]]
    assert "--host" not in served["args"]  # it listens on the pod's own loopback


def test_every_deployment_has_a_budget_and_limits() -> None:
    for name, body in DOCUMENTS.items():
        if ": Deployment" in name:
            budget = DOCUMENTS[name.replace("Deployment", "PodDisruptionBudget")]
            assert budget["spec"]["selector"] == body["spec"]["selector"]
            for container in body["spec"]["template"]["spec"]["containers"]:
                assert container["resources"]["requests"].keys() == {"cpu", "memory"}
                assert "memory" in container["resources"]["limits"]


def as_chart(folder: Path, **more: str) -> Path:
    """The shipped values and manifests as a chart of our own; Dagster's is on no package registry."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: hallmark\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text((MANIFESTS / "values.yaml").read_text())
    for path in MANIFESTS.glob("*.yaml"):
        if path.name != "values.yaml":
            (folder / "templates" / path.name).write_text(path.read_text())
    for name, text in more.items():
        (folder / "templates" / f"{name}.yaml").write_text(text)
    return folder


def test_helm_reads_the_values_and_renders_the_manifests_as_they_are(tmp_path: Path) -> None:
    from helm_python.chart import Chart

    image = '{{ (index (index .Values "dagster-user-deployments") "deployments" 0).image.repository }}'
    with Chart.load(as_chart(tmp_path / "chart", named=f"image: {image}\n")) as chart:
        assert chart.values == VALUES
        rendered = {Path(name).name: text for name, text in chart.render(name="h", namespace="hallmark").items()}
    assert yaml.safe_load(rendered.pop("named.yaml"))["image"] == "hallmark"
    found = [body for text in rendered.values() for body in yaml.safe_load_all(text) if body]
    assert {f"{body['kind']} {body['metadata']['name']}" for body in found} == {
        name.partition(": ")[2] for name in DOCUMENTS
    }
    assert all(body in DOCUMENTS.values() for body in found)


def test_helm_refuses_a_value_that_is_not_there(tmp_path: Path) -> None:
    from helm_python.chart import Chart
    from helm_python.errors import HelmError

    wrong = '{{ required "no such value" .Values.nosuch }}\n'
    with (
        Chart.load(as_chart(tmp_path / "chart", wrong=wrong)) as chart,
        pytest.raises(HelmError, match="no such value"),
    ):
        chart.render(name="h", namespace="hallmark")
