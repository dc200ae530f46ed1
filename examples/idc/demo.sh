#!/usr/bin/env bash
# The demo: import the public index of the NCI Imaging Data Commons as any study list, audit it, write the report.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=demo-report
mkdir -p "$out"
export COMPLIANCE_KEY=${COMPLIANCE_KEY:-demo-key-demo-key-demo-key}
index=$(python -c 'import idc_index_data, pathlib; print(pathlib.Path(idc_index_data.__file__).parent / "idc_index.parquet")')
compliance import "$index" --map examples/idc/mapping.yaml -o "$out/inventory.parquet"
compliance audit "$out/inventory.parquet" --profile examples/idc/profile.yaml --as-of 2026-11-24 --fail-on never -o "$out"
echo "The report lies in $out/report.html (open it in a browser); the data files lie beside it."
