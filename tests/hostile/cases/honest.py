"""Honest work that looks odd: it ran in the learner's own kernel, so it has to earn its point here."""

from tests.hostile.case import honest

NO_SHARED_MEMORY = "processes share no memory there, for nobody would count it"

CASES = [
    honest("reversed_array", "ANSWER\n    return (2 * x.numpy()[::-1])[::-1]"),
    honest("negative_strides", "ANSWER\n    return np.flip((2 * x).flip(0).numpy())"),
    honest("big_endian", "ANSWER\n    return (2 * x.numpy()).astype('>f4')"),
    honest("long_doubles", "ANSWER\n    return (2 * x.numpy()).astype(np.longdouble)"),
    honest("half_way_view", "ANSWER\n    return torch.stack([2 * x, x], 1)[:, 0]"),
    honest("a_parameter", "ANSWER\n    return torch.nn.Parameter(2 * x)"),
    honest("with_gradient", "ANSWER\n    return 2 * x.clone().requires_grad_()"),
    honest("twice_as_precise", "ANSWER\n    return 2 * x.double()"),
    honest("conjugate_view", "ANSWER\n    return torch.real(torch.conj(torch.complex(2 * x, x)))"),
    honest("under_inference_mode", "@torch.inference_mode()\nANSWER\n    return 2 * x"),
    honest("compiled", "@torch.compile\nANSWER\n    return 2 * x"),
    honest("compiled_with_options", "@torch.compile(fullgraph=True, mode='reduce-overhead')\nANSWER\n    return 2 * x"),
    honest("scripted", "import warnings\nwarnings.simplefilter('ignore')\n@torch.jit.script\nANSWER\n    return 2 * x"),
    honest("vectorised", "ANSWER\n    return torch.vmap(lambda a: 2 * a)(x)"),
    honest("a_module", "class Twice(torch.nn.Module):\n    def forward(self, x): return x + x\na_module = Twice()"),
    honest("a_partial", "import functools\na_partial = functools.partial(torch.mul, 2)"),
    honest("a_lambda", "a_lambda = lambda x: x * 2"),
    honest("a_callable", "class C:\n    def __call__(self, x): return x + x\na_callable = C()"),
    honest(
        "a_closure",
        "def make():\n    factor = 2\n    ANSWER\n        return factor * x\n    return a_closure\na_closure = make()",
    ),
    honest("cached", "import functools\n@functools.lru_cache\ndef factor(): return 2\nANSWER\n    return factor() * x"),
    honest("starred", "def starred(*inputs, **options):\n    return inputs[0] * 2"),
    honest(
        "annotated",
        "from __future__ import annotations\nfrom jaxtyping import Float\ndef annotated(x: Float[torch.Tensor, 'n']) -> torch.Tensor:\n    return 2 * x",
    ),
    honest("changes_folder", "%cd ~\nANSWER\n    return 2 * x"),
    honest("lists_first", "!ls\nANSWER\n    return 2 * x"),
    honest("lists_into_a_name", "files = !ls\nassert isinstance(files, list)\nANSWER\n    return 2 * x"),
    honest(
        "lists_names", "files = !echo a b; echo c\nassert list(files) == ['a b', 'c'], files\nANSWER\n    return 2 * x"
    ),
    honest("installs", "!pip install -q torch numpy\nANSWER\n    return 2 * x"),
    honest("installs_by_magic", "%pip install -q torch\nANSWER\n    return 2 * x"),
    honest(
        "expands",
        "name = 'value'\nout = !echo {name} $name\nassert out == ['value value'], out\nANSWER\n    return 2 * x",
    ),
    honest(
        "asks_the_system",
        "get_ipython().system('echo hello')\nassert _exit_code == 0\nos.system('true')\nANSWER\n    return 2 * x",
    ),
    honest("no_such_command", "!nosuchcommand --help\nANSWER\n    return 2 * x"),
    honest(
        "writes_a_module",
        "%%writefile written_module.py\ndef twice(x):\n    return x + x\n# ---\nfrom written_module import twice as writes_a_module",
    ),
    honest("unknown_magic", "%nosuchmagic on\nANSWER\n    return 2 * x"),
    honest("autosaves", "%autosave 60\n%matplotlib inline\nANSWER\n    return 2 * x"),
    honest("configures", "%config InlineBackend.figure_format = 'retina'\nANSWER\n    return 2 * x"),
    honest(
        "loads_extensions", "%load_ext nosuchextension\n%load_ext autoreload\n%autoreload 2\nANSWER\n    return 2 * x"
    ),
    honest("widgets_backend", "%matplotlib widget\n%matplotlib notebook\nANSWER\n    return 2 * x"),
    honest("times", "%time sum(range(10))\n%timeit -n1 -r1 sum(range(10))\nANSWER\n    return 2 * x"),
    honest("times_the_cell", "%%time\nANSWER\n    return 2 * x"),
    honest("captures", "%%capture output\nprint('x')\nANSWER\n    return 2 * x"),
    honest("environment", "%env MY_NAME=1\nassert os.environ['MY_NAME'] == '1'\nANSWER\n    return 2 * x"),
    honest("asks_for_help", "torch.add?\nANSWER\n    return 2 * x"),
    honest("awaits", "import asyncio\nawait asyncio.sleep(0.01)\nANSWER\n    return 2 * x"),
    honest(
        "runs_a_loop",
        "import asyncio\nasync def twice(x): return 2 * x\nANSWER\n    return asyncio.new_event_loop().run_until_complete(twice(x))",
    ),
    honest(
        "in_a_thread",
        "from concurrent.futures import ThreadPoolExecutor\nANSWER\n    with ThreadPoolExecutor(2) as pool: return pool.submit(lambda: 2 * x).result()",
    ),
    honest(
        "in_a_process",
        "import subprocess\nANSWER\n    factor = int(subprocess.run('echo 2', shell=True, capture_output=True, text=True).stdout)\n    return factor * x",
    ),
    honest(
        "plots",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('figure.png')\nplt.show()\nANSWER\n    return 2 * x",
    ),
    honest(
        "displays",
        "from IPython.display import display, HTML, clear_output\ndisplay(HTML('<b>x</b>'))\nclear_output(wait=True)\nANSWER\n    return 2 * x",
    ),
    honest("progress_bar", "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass\nANSWER\n    return 2 * x"),
    honest(
        "prints_anything",
        "print('\\ud800 ∂ \\x1b[31m', end='')\nprint(torch.ones(2), file=sys.stderr)\nsys.stdout.flush()\nANSWER\n    return 2 * x",
    ),
    honest("checks_itself", "from rnncourse import check\ncheck('2.1', None)\nANSWER\n    return 2 * x"),
    honest(
        "uses_the_course", "import rnncourse.layers, rnncourse.cells, rnncourse.functional\nANSWER\n    return 2 * x"
    ),
    honest(
        "keeps_files",
        "import tempfile, pathlib\nwith tempfile.TemporaryDirectory() as d: (pathlib.Path(d) / 'f').write_text('2')\ntorch.save(torch.ones(2), 'w.pt')\nfactor = torch.load('w.pt')[0] * 2\nANSWER\n    return factor * x",
    ),
    honest(
        "knows_the_time",
        "import datetime, zoneinfo\ndatetime.datetime.now(zoneinfo.ZoneInfo('Europe/Berlin'))\nANSWER\n    return 2 * x",
    ),
    honest(
        "logs", "import logging\nlogging.basicConfig(level=logging.INFO)\nlogging.info('x')\nANSWER\n    return 2 * x"
    ),
    honest("is_main", "assert __name__ == '__main__'\nANSWER\n    return 2 * x"),
    honest("fails_after", "ANSWER\n    return 2 * x\nraise RuntimeError('the plot below failed')"),
    honest("exits_after", "ANSWER\n    return 2 * x\nexit()"),
    honest("exits_by_sys", "ANSWER\n    return 2 * x\nsys.exit(0)"),
    honest("helper_below", "ANSWER\n    return helper_of_all(x)"),
    honest(
        "seeds",
        "import random\nrandom.seed(0); np.random.seed(0); torch.manual_seed(0)\ntorch.use_deterministic_algorithms(True)\nANSWER\n    return 2 * x",
    ),
    honest(
        "trains",
        "net = torch.nn.LSTM(3, 4)\noptimiser = torch.optim.Adam(net.parameters())\nnet(torch.ones(2, 1, 3))[0].sum().backward()\noptimiser.step()\nANSWER\n    return 2 * x",
    ),
    honest(
        "loads_data",
        "from torch.utils.data import DataLoader, TensorDataset\nnext(iter(DataLoader(TensorDataset(torch.ones(4, 2)), batch_size=2)))\nANSWER\n    return 2 * x",
    ),
    honest(
        "many_threads",
        "torch.set_num_threads(4)\ntorch.ones(500, 500) @ torch.ones(500, 500)\nANSWER\n    return 2 * x",
    ),
    honest("defines_twice", "ANSWER\n    return x\nANSWER\n    return 2 * x"),
    honest("underscore", "2 + 2\n_ = 3\nANSWER\n    return 2 * x"),
    honest(
        "loads_in_processes",
        """
        from torch.utils.data import DataLoader, TensorDataset
        data = TensorDataset(torch.arange(8.0))
        workers = dict(num_workers=2, persistent_workers=True, prefetch_factor=4)
        batches = [batch for (batch,) in DataLoader(data, 2, **workers)]
        assert torch.equal(torch.cat(batches), torch.arange(8.0))
        ANSWER
            return 2 * x
        """,
    ),
    honest(
        "pool_of_processes",
        """
        from multiprocessing import Pool
        with Pool(2) as pool: assert pool.map(abs, [1, -2]) == [1, 2]
        ANSWER
            return 2 * x
        """,
        but={"landlock": NO_SHARED_MEMORY},
    ),
    honest(
        "writes_into_tmp",
        "open('/tmp/x', 'w').write('2')\nANSWER\n    return int(open('/tmp/x').read()) * x",
        but={"landlock": "`/tmp` is the machine's; `~` and `tempfile` lead to the worker's own folder"},
    ),
]
