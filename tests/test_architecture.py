"""The shape of the package: imports go one way, forbidden packages stay out, --help is quick."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "choreia"
LAYERS = [
    {"types", "clock", "errors", "files"},
    {"music", "motion", "text", "stage"},
    {"nn", "tokenizers", "diffusion", "losses"},
    {"synth", "data", "training", "metrics"},
    {"models"},
    {"edit", "render", "export"},
    {"pipelines"},
    {"cli", "cli_edit", "cli_stage", "studio", "console", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imports(path: Path) -> set[str]:
    """Dotted names below `choreia` that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("choreia.") for name in found if name.startswith("choreia.") and name != "choreia.__version__"}


FILES = sorted(SOURCE.rglob("*.py"))


def place(path: Path) -> list[str]:
    return list(path.relative_to(SOURCE).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(place(path)))
def test_imports_go_one_way(path):
    here = place(path)
    if here == ["__init__"]:
        return
    for name in imports(path):
        parts = name.split(".")
        assert LEVEL[parts[0]] <= LEVEL[here[0]], f"{path} imports choreia.{name} from a higher layer"


@pytest.mark.parametrize("path", sorted((SOURCE / "models").rglob("*.py")), ids=lambda path: "/".join(place(path)))
def test_papers_keep_to_themselves_and_only_recipes_train(path):
    here = place(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] in {"data", "training"}:
            assert here[-1].endswith("recipe"), f"{path} imports choreia.{name}; only recipes may"
        if parts[0] == "models" and len(parts) > 2 and len(here) > 2 and parts[1] != "base":
            assert here[1] in {parts[1], "choreia"}, f"{path} imports another paper: choreia.{name}; only the default one may"


@pytest.mark.parametrize("package", ["torchvision", "torchaudio", "torchcodec"])
def test_packages_that_break_beside_the_cpu_torch_are_absent(package):
    assert importlib.util.find_spec(package) is None


def test_help_loads_nothing_heavy():
    code = "import sys, choreia.cli; print([m for m in ('torch', 'scipy', 'numpy', 'av', 'librosa', 'matplotlib') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
