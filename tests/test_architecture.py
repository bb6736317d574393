"""The plan of the house, kept: who may import whom, and what may stand where."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = "zyenta_ads_pipeline"
ROOT = Path(__file__).parents[1] / PACKAGE

FLOORS = {
    "domain": 1,
    "metrics": 2,
    "optimizer": 2,
    "charts": 2,
    "platforms": 3,
    "lake": 3,
    "store": 3,
    "ingestion": 4,
    "campaigns": 4,
    "creatives": 4,
    **dict.fromkeys(
        ("cli", "demo", "dev", "doctor", "query", "operations", "runs", "resources", "definitions",
         "assets", "checks", "jobs", "schedules", "sensors", "partitions", "sandbox_home",
         "instance", "console", "agent", "connections", "change_desk", "drafting", "alert_desk",
         "showing", "terminal", "store_commands", "store_desk", "connect_commands", "connect_desk",
         "connect_look", "campaign_commands", "campaign_desk", "campaign_list", "campaign_page",
         "campaign_undo", "switch_commands", "switch_desk", "doctor_campaigns",
         "campaign_tests", "account_rules", "policy_files", "backtest_desk", "backtest_commands",
         "backtest_policies", "demo_gain", "console_commands",
         "order_jobs", "order_work", "token_commands", "request_work", "lineage", "__main__"),
        5,
    ),
}  # fmt: skip
APART = {"sandbox", "settings", "console_settings", "__init__"}
TOP = 5
CHARTS_ONLY = {"altair", "vl_convert"}
COMPUTES_WITH = {"numpy", "polars"}
FACES_ONLY = {"dagster", "dagster_postgres", "dagster_webserver", "typer", "fastapi"}
MAY_IMPORT_SANDBOX = {"cli", "dev", "demo", "sandbox_home", "sandbox"}
IMPURE = {"asyncio", "io", "os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess",
          "tempfile", "threading", "time", "urllib", "httpx", "duckdb", "deltalake",
          "sqlalchemy"}  # fmt: skip
LONGEST = 500


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, what it imports (dotted, with the names taken), its tree."""

    path: Path
    name: str
    imports: frozenset[str]
    tree: ast.Module

    @property
    def room(self) -> str:
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"

    @property
    def ours(self) -> set[str]:
        """Rooms of ours that it imports from."""
        dotted = (each.split(".") for each in self.imports)
        return {parts[1] for parts in dotted if parts[0] == PACKAGE and len(parts) > 1}

    @property
    def others(self) -> set[str]:
        """Top-level packages of others."""
        return {each.split(".")[0] for each in self.imports} - {PACKAGE}


def _imports(tree: ast.Module) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found.append(Module(path, ".".join(parts), _imports(tree), tree))
    return tuple(found)


def in_rooms(*rooms: str) -> list[Module]:
    return [module for module in modules() if module.room in rooms]


def test_there_is_a_house_to_look_at() -> None:
    assert len(modules()) > 80
    assert {"domain", "lake", "platforms", "optimizer"} <= {module.room for module in modules()}


def test_every_room_has_its_floor() -> None:
    assert {module.room for module in modules()} <= set(FLOORS) | APART


def test_a_room_imports_from_itself_and_from_lower_floors_alone() -> None:
    wrong = [
        (module.name, other)
        for module in modules()
        if module.room in FLOORS
        for other in module.ours & set(FLOORS)
        if other != module.room
        and FLOORS[other] >= FLOORS[module.room]
        and FLOORS[module.room] != TOP
    ]
    assert wrong == []


def test_the_words_import_nothing_but_python() -> None:
    for module in in_rooms("domain"):
        assert module.ours <= {"domain"}, module.name
        assert module.others <= sys.stdlib_module_names, module.name


def test_the_sandbox_stands_apart() -> None:
    for module in in_rooms("sandbox"):
        assert module.ours <= {"domain", "sandbox"}, module.name
    importing = {module.room for module in modules() if "sandbox" in module.ours}
    assert importing <= MAY_IMPORT_SANDBOX


def test_dagster_typer_and_fastapi_are_for_the_faces() -> None:
    wrong = [
        (module.name, sorted(module.others & FACES_ONLY))
        for module in modules()
        if FLOORS.get(module.room) != TOP and module.others & FACES_ONLY
    ]
    assert wrong == []


def test_pictures_are_drawn_in_the_charts_alone() -> None:
    drawing = {module.room for module in modules() if module.others & CHARTS_ONLY}
    assert drawing <= {"charts"}
    for module in in_rooms("charts"):
        assert module.ours <= {"domain", "charts"}, module.name
        assert module.others <= sys.stdlib_module_names | CHARTS_ONLY | {"polars"}, module.name


def test_the_optimizer_computes_with_numpy_and_polars_alone() -> None:
    for module in in_rooms("optimizer"):
        assert module.ours <= {"domain", "optimizer"}, module.name
        assert module.others <= sys.stdlib_module_names | COMPUTES_WITH, module.name
    assert not any("scipy" in module.others for module in modules())


def test_settings_know_words_and_the_policies_names_only() -> None:
    (settings,) = in_rooms("settings")
    names = {each for each in settings.imports if each.startswith(f"{PACKAGE}.")}
    from_optimizer = {each for each in names if each.startswith(f"{PACKAGE}.optimizer")}
    assert from_optimizer <= {f"{PACKAGE}.optimizer.policies.policy_names"}
    assert settings.ours <= {"domain", "optimizer", "console_settings"}
    for module in modules():
        if FLOORS.get(module.room, 0) in (1, 2, 3, 4):
            assert not module.ours & {"settings", "console_settings"}, module.name


def test_thought_does_no_input_output_and_asks_no_clock() -> None:
    for module in in_rooms("metrics", "optimizer", "charts"):
        assert not module.others & IMPURE, module.name
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"open", "print", "input"}, module.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                clock = called.endswith((".now", ".utcnow", ".today"))
                assert not clock, f"{module.name}: {called}"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_imports_by_its_full_name(module: Module) -> None:
    relative = [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_a_name_has_one_import_path() -> None:
    """A package's own file re-exports nothing of ours, and no module star-imports."""
    for module in modules():
        if module.path.name == "__init__.py":
            assert not module.ours, module.name
        assert not any(each.endswith(".*") for each in module.imports), module.name
        assert not any(
            isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            for node in module.tree.body
        ), module.name


def test_a_private_name_is_used_in_its_own_module() -> None:
    wrong = [
        (module.name, each)
        for module in modules()
        for each in module.imports
        if each.startswith(PACKAGE)
        and each.rsplit(".", 1)[1].startswith("_")
        and not each.rsplit(".", 1)[1].startswith("__")
    ]
    assert wrong == []


def test_no_module_is_too_long_to_read() -> None:
    lines = {m.name: m.path.read_text(encoding="utf-8").count("\n") for m in modules()}
    too_long = {name for name, count in lines.items() if count > LONGEST}
    assert not too_long


def test_every_module_says_what_it_is() -> None:
    silent = [module.name for module in modules() if not ast.get_docstring(module.tree)]
    assert silent == []
