# SPDX-License-Identifier: BSD-2-Clause
"""The reports of a run: page.html, report.md and report.json, with the same tables."""
import json

from . import markdown, page, results


def write(run, directory):
    directory.mkdir(parents=True, exist_ok=True)
    made = results.tables(run)
    forms = {
        "report.json": json.dumps(made, indent=1, ensure_ascii=False) + "\n",
        "report.md": "\n".join(markdown.document(made)).rstrip() + "\n",
        "page.html": page.document(made),
    }
    for name, text in forms.items():
        (directory / name).write_text(text)
        print(directory / name)
