"""Answers that are none: of a wrong kind, too large, too deep, or of a class that says yes to everything."""

from tests.hostile.case import attack

CASES = [
    attack(
        "always_equal",
        """
        class Yes:
            def __eq__(self, other): return True
            def __getattr__(self, name): return lambda *a, **k: self
        ANSWER
            return Yes()
        """,
        "type Yes",
    ),
    attack(
        "equal_tensor",
        """
        class YesTensor(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None): return True
        ANSWER
            return torch.zeros(x.shape).as_subclass(YesTensor)
        """,
    ),
    attack(
        "equal_float",
        """
        class YesFloat(float):
            def __eq__(self, other): return True
        ANSWER
            return [YesFloat(0)] * 4
        """,
    ),
    attack(
        "lying_list",
        """
        class Liar(list):
            def __iter__(self): return iter([2.0] * 4)
            def __len__(self): return 4
            def __eq__(self, other): return True
        ANSWER
            return Liar([0.0])
        """,
        "got 1 values",
    ),
    attack(
        "lying_dictionary",
        """
        class Liar(dict):
            def items(self): return [("a", 1)]
            def __eq__(self, other): return True
        ANSWER
            return Liar()
        """,
        "a dictionary",
    ),
    attack(
        "lying_array",
        """
        class Liar(np.ndarray):
            dtype = np.dtype("f8")
            size = 0
            def __array__(self, *a, **k): return np.zeros(4)
        ANSWER
            return np.zeros(4, dtype=object).view(Liar)
        """,
    ),
    attack("none", "ANSWER\n    pass", "None"),
    attack("nan", "ANSWER\n    return x * float('nan')", "NaN"),
    attack("infinite", "ANSWER\n    return x * float('inf')"),
    attack("huge_integer", "ANSWER\n    return 10 ** 4000", "bits"),
    attack("large_integer", "ANSWER\n    return 10 ** 400", "a number"),
    attack("nested", "ANSWER\n    for _ in range(5000): x = [x]\n    return x", "nested more than"),
    attack("within_itself", "ANSWER\n    x = []\n    x.append(x)\n    return x", "nested more than"),
    attack("wide_and_deep", "ANSWER\n    for _ in range(15): x = [x] * 8\n    return x", "more than 10000 values"),
    attack("too_many", "ANSWER\n    return [0] * 1_000_000", "more than 10000 values"),
    attack("never_ending", "import itertools\nANSWER\n    return itertools.count()", "more than 10000 values"),
    attack("too_large", "ANSWER\n    return torch.zeros(60_000_000)", "at most 34 MB"),
    attack("many_large", "ANSWER\n    return [torch.zeros(3_000_000)] * 4", "at most 34 MB"),
    attack("expanded_view", "ANSWER\n    return torch.zeros(1).expand(10 ** 11)", "at most 34 MB"),
    attack("strided_array", "ANSWER\n    return np.broadcast_to(np.zeros(1), 10 ** 11)", "at most 34 MB"),
    attack("many_tensors", "ANSWER\n    return [torch.zeros(0)] * 9000", "at most 2000"),
    attack("sixty_five_axes", "ANSWER\n    return torch.zeros([1] * 65)", "65 axes"),
    attack("seventeen_axes", "ANSWER\n    return torch.zeros([1] * 17)", "17 axes"),
    attack("sixteen_axes", "ANSWER\n    return torch.zeros([1] * 16)", "expected the shape"),
    attack("empty_giant", "ANSWER\n    return torch.zeros(0, 2 ** 62)", "expected the shape|cannot"),
    attack("wrong_shape", "ANSWER\n    return (2 * x)[:, None]", r"\(4, 1\)"),
    attack("broadcasts", "ANSWER\n    return torch.zeros(())", "single number"),
    attack("complex_numbers", "ANSWER\n    return 2 * x + 0j", "complex"),
    attack("complex_array", "ANSWER\n    return 2 * x.numpy() + 0j", "complex"),
    attack("sparse", "ANSWER\n    return (2 * x).to_sparse()", "sparse"),
    attack("quantised", "ANSWER\n    return torch.quantize_per_tensor(2 * x, 0.1, 0, torch.qint8)", "quantised|raised"),
    attack("meta", "ANSWER\n    return torch.empty(4, device='meta')", "meta device"),
    attack("nested_tensor", "ANSWER\n    return torch.nested.nested_tensor([x, x])"),
    attack("eight_bits", "ANSWER\n    return (2 * x).to(torch.float8_e4m3fn)", "off|cannot"),
    attack("whole_numbers", "ANSWER\n    return (2 * x).to(torch.int64)", "integers"),
    attack("truth", "ANSWER\n    return x == x", "true or false"),
    attack("dates", "ANSWER\n    return np.zeros(4, dtype='datetime64[s]')", "NumPy value"),
    attack("objects", "ANSWER\n    return np.array([x, None], dtype=object)", "NumPy value"),
    attack("records", "ANSWER\n    return np.zeros(4, dtype=[('a', 'f4')])", "NumPy value"),
    attack("some_bytes", "ANSWER\n    return bytes(16)", "type bytes"),
    attack("a_set", "ANSWER\n    return {1.0, 2.0}", "type set"),
    attack("a_string", "ANSWER\n    return 'right'", "a string"),
    attack("a_long_string", "ANSWER\n    return 'x' * 900_000", "characters"),
    attack("half_a_character", "ANSWER\n    return '\\ud800' * 4", "a string|raised|returned"),
    attack("numbered_keys", "ANSWER\n    return {1: x}", "not all strings"),
    attack("many_keys", "ANSWER\n    return {str(i): 0 for i in range(50_000)}", "more than 10000 values"),
    attack("a_class", "ANSWER\n    return torch.Tensor", "type"),
    attack("a_coroutine", "async def later(): pass\nANSWER\n    return later()", "type coroutine"),
    attack("an_exception", "ANSWER\n    return ValueError('2 * x')", "type ValueError"),
    attack("itself", "ANSWER\n    return itself", "type function"),
    attack(
        "shouts",
        "ANSWER\n    raise ValueError('\\x1b[2J [bold]<script>alert(1)</script>')",
        r"raised ValueError: [^\x1b]*$",
    ),
    attack("exit_exception", "ANSWER\n    raise SystemExit(0)", "SystemExit"),
    attack("interrupts", "ANSWER\n    raise KeyboardInterrupt", "KeyboardInterrupt"),
    attack("asks", "ANSWER\n    return input('what is the answer? ')", r"input\(\)"),
    attack("bad_message", "class Bad(Exception):\n    def __str__(self): raise Bad\nANSWER\n    raise Bad", "Bad"),
    attack("long_message", "ANSWER\n    raise ValueError('x' * 10_000_000)", "x{400}"),
    attack("deep", "ANSWER\n    return deep(x)", "Recursion"),
    attack("generator_fails", "ANSWER\n    yield x\n    raise ValueError('later')", "later"),
    attack("a_group", "ANSWER\n    raise BaseExceptionGroup('many', [KeyboardInterrupt()] * 1000)", "raised"),
    attack("unwritten_by_torch", "ANSWER\n    return torch.empty(2, device='meta').numpy()", "raised"),
]
