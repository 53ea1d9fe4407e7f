"""Writing into the pipe: whatever arrives there is an answer to the question under way, or nothing."""

from tests.hostile.case import attack

# Helpers that each cell brings along: the pipes, a frame, and the request's number from the frames below.
TOOLS = """
import json, struct
def shout(data):
    import stat
    for f in range(3, 30):
        try:
            left = data if stat.S_ISFIFO(os.fstat(f).st_mode) else b''
            while left: left = left[os.write(f, left):]  # a pipe may take a part, and half a frame is another attack
        except OSError: pass
def frame(header, blob=b'', nonce=bytes(16)):
    head = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack('>16sII', nonce, len(head), len(blob)) + head + blob
def number():
    below = sys._getframe()
    while 'nonce' not in below.f_locals: below = below.f_back
    return below.f_locals['nonce']
def tensors(entries, data=b''):
    head = json.dumps(entries).encode() if not isinstance(entries, bytes) else entries
    return struct.pack('<Q', len(head)) + head + data
ONE = tensors({'0': {'dtype': 'F32', 'shape': [4], 'data_offsets': [0, 16]}}, bytes(16))
"""


def pipe(name: str, source: str, words: str = "", **options):
    """An attack on the pipe."""
    return attack(name, TOOLS.strip() + "\n" + source, words, **options)


def forged(name: str, header: str, blob: str = "b''", words: str = "", ends: bool = False):
    """An attack that answers the very request that is under way, with a frame of its own making."""
    return pipe(name, f"ANSWER\n    shout(frame({header}, {blob}, number()))\n    return x", words, ends=ends)


FLOAT = "{'dtype': 'F32', 'shape': [4], 'data_offsets': [0, 16]}"
CASES = [
    pipe(
        "forged_marks",
        "shout(frame({'ok': True, 'points': 1, 'question': '99.2', 'full': True}))\nANSWER\n    return x",
        "same",
    ),
    pipe(
        "forged_answer",
        "ANSWER\n    shout(frame({'ok': True, 'answer': {'tensor': '0'}}, ONE, b'guess' * 3 + b'!'))\n    return x",
        "same",
    ),
    pipe("early", "ANSWER\n    return x\nshout(frame({'ok': True, 'answer': {'tensor': '0'}}, ONE))", "same"),
    pipe(
        "twice",
        "ANSWER\n    for _ in range(3): shout(frame({'ok': True, 'answer': {'value': 1}}, b'', number()))\n    return 2 * x",
        "single number",
    ),
    pipe(
        "from_a_child",
        """
ANSWER
    mine = number()
    if os.fork() == 0:
        try:
            import time
            time.sleep(0.3)
            shout(frame({'ok': True, 'answer': {'tensor': '0'}}, ONE, mine))
        finally:
            os._exit(0)
    return x
# ---
import time; time.sleep(2)  # the child is done before the next one
""",
        "same",
    ),
    forged("zeros", "{'ok': True, 'answer': {'tensor': '0'}}", "ONE"),
    forged(
        "three_hundred_names",
        "{'ok': True, 'answer': {'list': [{'tensor': '0'}] * 300}}",
        "ONE",
        "not an encoded value",
    ),
    forged("no_tensor", "{'ok': True, 'answer': {'tensor': '7'}}", "b''", "not an encoded value"),
    forged("a_number_as_name", "{'ok': True, 'answer': {'tensor': 0}}", "ONE", "not an encoded value"),
    forged("no_answer", "{'ok': True}", "b''", "not an encoded value"),
    forged("almost_true", "{'ok': 1, 'answer': {'value': 1}}", "b''", "raised"),
    forged("a_list", "[1, 2, 3]", "b''", "not a JSON object", True),
    forged("no_json", "b'full marks'", "b''", "unreadable", True),
    forged("deep_json", "b'[' * 500_000", "b''", "unreadable", True),
    forged(
        "many_digits", "b'{\"ok\": true, \"answer\": {\"value\": ' + b'9' * 900_000 + b'}}'", "b''", "unreadable", True
    ),
    forged("some_digits", "b'{\"ok\": true, \"answer\": {\"value\": ' + b'9' * 4000 + b'}}'", "b''", "bits"),
    forged("not_a_number", 'b\'{"ok": true, "answer": {"value": NaN}}\'', "b''", "single number"),
    forged("same_key", 'b\'{"ok": false, "ok": true, "answer": {"value": 1}}\'', "b''", "single number"),
    forged("many_values", "{'ok': True, 'answer': {'list': [{'value': 0}] * 20_000}}", "b''", "too many"),
    forged("unicode", 'b\'{"ok": true, "answer": {"value": "\\\\ud800\\\\u202e\\\\u0000"}}\'', "b''", "a string"),
    forged("half_of_utf8", 'b\'{"ok": "\\xff\\xfe"}\'', "b''", "unreadable", True),
    forged(
        "empty_tensors",
        "{'ok': True, 'answer': {'value': 1}}",
        "tensors({str(i): {'dtype': 'F32', 'shape': [0], 'data_offsets': [0, 0]} for i in range(400_000)})",
        "too long|took longer",
        True,
    ),
    forged(
        "some_empty_tensors",
        "{'ok': True, 'answer': {'value': 1}}",
        "tensors({str(i): {'dtype': 'F32', 'shape': [0], 'data_offsets': [0, 0]} for i in range(5_000)})",
        "at most 2000",
        True,
    ),
    forged(
        "axes",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "tensors({'0': {'dtype': 'F32', 'shape': [4] + [1] * 64, 'data_offsets': [0, 16]}}, bytes(16))",
        "axes",
        True,
    ),
    forged(
        "many_axes",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "tensors({'0': {'dtype': 'F32', 'shape': [1] * 100_000, 'data_offsets': [0, 4]}}, bytes(4))",
        "axes",
        True,
    ),
    forged(
        "negative",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "tensors({'0': {'dtype': 'F32', 'shape': [-4], 'data_offsets': [0, 16]}}, bytes(16))",
        "unreadable",
        True,
    ),
    forged(
        "overflowing",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "tensors({'0': {'dtype': 'F32', 'shape': [2**62, 4], 'data_offsets': [0, 16]}}, bytes(16))",
        "unreadable",
        True,
    ),
    forged(
        "overlapping",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        f"tensors({{'0': {FLOAT}, '1': {FLOAT}}}, bytes(16))",
        "unreadable",
        True,
    ),
    forged(
        "out_of_bounds",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "tensors({'0': {'dtype': 'F32', 'shape': [4], 'data_offsets': [10**9, 10**9 + 16]}}, bytes(16))",
        "unreadable",
        True,
    ),
    forged(
        "strange_kind",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "tensors({'0': {'dtype': 'PICKLE', 'shape': [4], 'data_offsets': [0, 16]}}, bytes(16))",
        "unreadable",
        True,
    ),
    forged(
        "strange_shape",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "tensors({'0': {'dtype': 'F32', 'shape': 4, 'data_offsets': [0, 16]}}, bytes(16))",
        "unreadable",
        True,
    ),
    forged("no_list", "{'ok': True, 'answer': {'tensor': '0'}}", "tensors([1, 2])", "unreadable|tensors", True),
    forged(
        "pickled",
        "{'ok': True, 'answer': {'tensor': '0'}}",
        "b'\\x80\\x04cos\\nsystem\\n(S\"true\"\\ntR.'",
        "unreadable",
        True,
    ),
    forged("short_of_a_length", "{'ok': True, 'answer': {'tensor': '0'}}", "b'1'", "unreadable", True),
    forged(
        "an_error_that_shouts",
        "{'ok': False, 'error': '\\x1b[2J' * 300, 'message': '<script>', 'line': 10**30}",
        "b''",
        r"raised [^\x1b]*script",
    ),
    forged(
        "an_error_of_another_kind",
        "{'ok': False, 'error': ['x'], 'message': {'a': 1}, 'line': True}",
        "b''",
        "an error",
    ),
    forged("unwritten", "{'ok': False, 'error': 'NotImplementedError', 'message': ''}", "b''", "not written yet"),
    pipe(
        "forged_definitions",
        "shout(frame({'ok': True, 'defined': {'forged_definitions': 2**70, 'after': 'x'}}, b'', number()))\nANSWER\n    return x",
    ),
    pipe("garbage", "ANSWER\n    shout(b'full marks please, dear grader' * 10)\n    return 2 * x", "pipe", ends=True),
    pipe(
        "announced",
        "ANSWER\n    shout(struct.pack('>16sII', number(), 2**31, 2**31))\n    return 2 * x",
        "announced",
        ends=True,
    ),
    pipe(
        "unfinished",
        "ANSWER\n    shout(struct.pack('>16sII', number(), 1000, 0) + b'{')\n    os._exit(0)",
        "ended the process",
        ends=True,
    ),
    pipe("flood", "ANSWER\n    while True: shout(frame({'ok': True}))", "no answer", ends=True),
    pipe(
        "slow_flood",
        "ANSWER\n    import time\n    while True: shout(frame({'ok': True})); time.sleep(0.05)",
        "took longer|no answer",
        ends=True,
    ),
    pipe("large_flood", "ANSWER\n    while True: shout(frame({'ok': True}, bytes(2**24)))", "no answer", ends=True),
    pipe("closes", "ANSWER\n    os.closerange(3, 256)\n    return 2 * x", "ended the process|took longer", ends=True),
    pipe(
        "eats_requests",
        "ANSWER\n    for f in range(3, 20):\n        try: os.read(f, 2**20)\n        except OSError: pass\n    return x",
        "",
        ends=True,
    ),
]
