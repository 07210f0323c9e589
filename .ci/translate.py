"""What CloudFormation gets of template.yaml: SAM's own translation of it, as JSON.

    .tools/lambda/bin/python .ci/translate.py            writes tests/translated.json
    .tools/lambda/bin/python .ci/translate.py --check    fails if that is not what it would write

tests/deployment holds the translation against the code.
"""

import json
import os
import sys
from pathlib import Path
from unittest.mock import Mock

# The translator asks boto for the Region, and calls nobody.
os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

TEMPLATE = Path("template.yaml")
TRANSLATED = Path("tests/translated.json")


def translated():
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # `sam package` puts the address of the zip here.
            resource["Properties"]["CodeUri"] = "s3://bucket/function.zip"
    # It would name managed policies, of which the template has none.
    policies = Mock(load=dict)
    return json.dumps(transform(template, {}, policies), indent=2) + "\n"


def main():
    text = translated()
    if "--check" not in sys.argv:
        TRANSLATED.write_text(text)
    elif TRANSLATED.read_text() != text:
        sys.exit(f"{TRANSLATED} is not what SAM makes of {TEMPLATE}: run .ci/translate.py, and look at the difference")


main()
