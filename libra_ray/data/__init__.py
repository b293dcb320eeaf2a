"""Market data: datasets that runs share, importers, the catalog, samples and the synthetic generator."""

from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.file_survey import FileSurvey, survey_file
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import (
    Import,
    ImportReport,
    ImportStream,
    import_all,
    import_file,
    import_table,
    open_import,
    open_imports,
)
from libra_ray.data.instrument_files import instruments_from_ccxt, instruments_from_file, instruments_from_lean
from libra_ray.data.instruments_json import instrument_from_json, instrument_to_json
from libra_ray.data.merge import Run, merged_runs
from libra_ray.data.parquet_catalog import Catalog, CatalogCheck, Entry, Gap, catalog
from libra_ray.data.sample_prices import sample, sample_instrument, samples
from libra_ray.data.synthetic import (
    Gbm,
    Hawkes,
    Heston,
    JumpDiffusion,
    OrnsteinUhlenbeck,
    synth,
    synth_order_flow,
    synth_pair,
)
from libra_ray.data.times import instant_ns, time_text
from libra_ray.data.wording import Wording

__all__ = [
    "Catalog",
    "CatalogCheck",
    "Dataset",
    "Entry",
    "FileSurvey",
    "Gap",
    "Gbm",
    "Hawkes",
    "Heston",
    "Import",
    "ImportOptions",
    "ImportReport",
    "ImportStream",
    "JumpDiffusion",
    "OrnsteinUhlenbeck",
    "Run",
    "Stream",
    "Wording",
    "catalog",
    "import_all",
    "import_file",
    "import_table",
    "instant_ns",
    "instrument_from_json",
    "instrument_to_json",
    "instruments_from_ccxt",
    "instruments_from_file",
    "instruments_from_lean",
    "merged_runs",
    "open_import",
    "open_imports",
    "sample",
    "sample_instrument",
    "samples",
    "survey_file",
    "synth",
    "synth_order_flow",
    "synth_pair",
    "time_text",
]
