#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Python, PyTorch for the CPU, and the course.
# Beside it in the zip lie run_autograder, constraints.txt of the course, and its wheel (python -m build --wheel).
set -euo pipefail
cd "$(dirname "$0")"

apt-get update -qq
apt-get install -qq -y --no-install-recommends python3 python3-venv bubblewrap
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed; choose a newer base image (Ubuntu 24.04)" >&2
  exit 1
}
python3 -m venv /opt/rnncourse
/opt/rnncourse/bin/pip install --quiet --no-cache-dir \
  --extra-index-url https://download.pytorch.org/whl/cpu \
  -c constraints.txt "$(ls rnncourse-*.whl)[grade]"
/opt/rnncourse/bin/python -P -m rnncourse.cli.autograder --check
