# SPDX-License-Identifier: MIT
"""Some real work for the interpreter, whose core is then read."""

import ast
import collections
import json
import re
import sys
import threading
import time

with open(json.decoder.__file__) as file:
    source = file.read()
trees = [ast.parse(source) for _ in range(20)]
words = collections.Counter(re.findall(r"\w+", source) * 20)
texts = [json.dumps({"n": i, "list": list(range(i % 50))}) for i in range(5000)]
documents = [json.loads(text) for text in texts]
results = []


def work(part):
    results.append(sorted(documents[part::4], key=lambda d: len(d["list"])))


threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
del texts
print("ready")
sys.stdout.flush()
while True:
    time.sleep(3600)
