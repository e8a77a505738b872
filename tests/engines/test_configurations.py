"""Every nginx, HAProxy and VCL file on the rule pages, before and after the fix, is one that the real program takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.engines.configurations import Configuration, configurations, for_haproxy, for_varnish, write_nginx
from tests.engines.processes import free_port, run

NGINX, HAPROXY, VARNISH = configurations("nginx"), configurations("haproxy"), configurations("vcl")


def _each(found: list[Configuration]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("configuration", [pytest.param(each, id=each.title) for each in found])


def test_there_are_some() -> None:
    assert len(NGINX) > 30
    assert len(HAPROXY) > 10
    assert len(VARNISH) > 4


@pytest.mark.needs("nginx", package="nginx-light")
@_each(NGINX)
def test_nginx_takes_it(configuration: Configuration, tmp_path: Path) -> None:
    main = write_nginx(configuration, tmp_path, free_port())
    result = run("nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(main))
    assert result.returncode == 0, result.stderr


@pytest.mark.needs("haproxy", package="haproxy")
@_each(HAPROXY)
def test_haproxy_takes_it(configuration: Configuration, tmp_path: Path) -> None:
    result = _haproxy(configuration.files[configuration.main], tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.needs("haproxy", package="haproxy")
@_each([each for each in HAPROXY if "missing-proxy-timeouts" in each.title and len(each.files) == 1])
def test_haproxy_warns_where_the_rule_does(configuration: Configuration, tmp_path: Path) -> None:
    result = _haproxy(configuration.files[configuration.main], tmp_path)
    assert ("missing timeouts" in result.stderr) == configuration.is_flagged, result.stderr


def _haproxy(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "haproxy.cfg"
    path.write_text(for_haproxy(text), encoding="utf-8")
    return run("haproxy", "-c", "-f", str(path))


@pytest.mark.needs("varnishd", package="varnish")
@_each(VARNISH)
def test_varnish_takes_it(configuration: Configuration, tmp_path: Path) -> None:
    path = tmp_path / "default.vcl"
    path.write_text(for_varnish(configuration.files[configuration.main]), encoding="utf-8")
    result = run("varnishd", "-j", "none", "-C", "-f", str(path), "-n", str(tmp_path / "work"))
    assert result.returncode == 0, result.stderr
