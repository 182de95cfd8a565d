"""The wheel and the source distribution are whole, and name their license."""

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from convo_pipelines_tests.conftest import ROOT


def test_wheel_and_source_carry_every_sql_file_and_the_license(tmp_path: Path) -> None:
    source = tmp_path / "source"
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    for name in files:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "build", "--quiet", "--wheel", "--sdist", "--out-dir", tmp_path, source], check=True)
    [wheel], [archive] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    statements = {name for name in files if name.startswith("sql/")}
    assert statements
    with zipfile.ZipFile(wheel) as opened:
        carried = set(opened.namelist())
        assert {f"convo_pipelines/{name}" for name in statements} <= carried
        [described] = [name for name in carried if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(opened.read(described))
        [license_] = [name for name in carried if name.endswith(f"licenses/{metadata['License-File']}")]
        assert opened.read(license_) == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"
    with tarfile.open(archive) as unpacked:
        sources = {name.partition("/")[2] for name in unpacked.getnames()}
    assert statements | {"LICENSE", "README.md", "setup.py", "pyproject.toml"} <= sources
