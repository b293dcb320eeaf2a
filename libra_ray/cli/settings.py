"""`libra config`: what a run file says after all layers, and what it may say."""

import json
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from libra_ray.cli.answer import Answer, json_text
from libra_ray.cli.options import ConfigFile, ConfigOption, Debug, Json, Sets, read_source

if TYPE_CHECKING:
    from libra_ray.config import ConfigSource

__all__ = ["settings"]

settings = typer.Typer(help="Show a run file as it is understood, or the schema of run files.")


@settings.command("show")
def show_config(
    config: ConfigFile = None,
    *,
    resolved: Annotated[bool, typer.Option("--resolved", help="With every default.", show_default=False)] = False,
    config_option: ConfigOption = None,
    sets: Sets = None,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Show the settings after file, environment and --set, each with its place. Secrets are masked."""
    from libra_ray.config import read_settings
    from libra_ray.simulation.run_config import RunConfig, resolved_config

    source = read_source(config, config_option, sets)
    checked = read_settings(RunConfig, source)
    document = resolved_config(checked) if resolved else _masked(source.data)

    def show(out: TextIO) -> None:
        lines = [(key, json_text(value), _place(source, keys)) for keys, key, value in _leaves(document)]
        width = max((len(key) + len(value) for key, value, _ in lines), default=0) + 3
        out.writelines(f"{f'{key} = {value}'.ljust(width)}  # {place}\n" for key, value, place in lines)

    return Answer(document, show)


@settings.command("schema")
def schema(*, _json: Json = False, _debug: Debug = False) -> Answer:
    """Print the JSON schema of run files, for editors and checks."""
    from libra_ray.simulation.run_config import RunConfig

    document = RunConfig.model_json_schema()
    return Answer(document, lambda out: out.writelines([json.dumps(document, indent=2), "\n"]))


def _masked(value: Any, key: str = "") -> Any:  # noqa: ANN401  # plain TOML data
    """Plain data as it may be shown: secrets masked, times as text."""
    from libra_ray.config import shown_text

    if isinstance(value, dict):
        return {name: _masked(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, key) for part in value]
    return value if isinstance(value, bool | int | float) else shown_text(str(value), key)


def _leaves(value: object, keys: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str, object]]:
    """Every value that is not a table, with its key: `venue.0.name`."""
    if isinstance(value, dict) and value:
        return [leaf for name, part in value.items() for leaf in _leaves(part, (*keys, name))]
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        return [leaf for index, part in enumerate(value) for leaf in _leaves(part, (*keys, index))]
    return [(keys, ".".join(map(str, keys)), value)]


def _place(source: "ConfigSource", keys: tuple[str | int, ...]) -> str:
    """Where a value came from; a default came from none of the layers."""
    return (
        source.place(*keys).removesuffix(f" {'.'.join(map(str, source.known_path(keys)))}")
        if source.at(*keys) is not None
        else "default"
    )
