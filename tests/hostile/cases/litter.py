"""What is left behind: nothing of it may be there afterwards, and nobody else may be touched."""

from tests.hostile.case import attack

CASES = [
    attack(
        "deep_folders",
        "for _ in range(1500):\n    os.mkdir('d'); os.chdir('d')\nos.chdir(os.environ['HOME'])\nANSWER\n    return x",
        "same",
    ),
    attack(
        "closed_folders",
        "os.makedirs('a/b/c')\nopen('a/b/c/f', 'w').close()\nfor p in ('a/b/c', 'a/b', 'a'): os.chmod(p, 0)\nANSWER\n    return x",
        "same",
    ),
    attack(
        "odd_names",
        "for n in (b'\\xff\\xfe', b'-rf', b'a\\nb', b' ', b'*', '\\u202e'.encode()): open(n, 'w').close()\nANSWER\n    return x",
        "same",
    ),
    attack(
        "links_outside",
        "os.symlink('/etc', 'etc'); os.symlink('/', 'root'); os.symlink('..', 'up')\nANSWER\n    return x",
        "same",
    ),
    attack("a_fifo", "os.mkfifo('fifo')\nANSWER\n    return x", "same"),
    attack("a_sparse_file", "open('sparse', 'wb').truncate(2 ** 27)\nANSWER\n    return x", "same"),
    attack(
        "a_module_for_others",
        "for n in ('torch', 'rnncourse', 'json'): open(n + '.py', 'w').write('raise SystemExit')\nANSWER\n    return x",
        "same",
    ),
    attack(
        "a_start_up_file",
        "os.makedirs('.ipython/profile_default/startup', exist_ok=True)\nopen('.ipython/profile_default/startup/0.py', 'w').write('before = 1')\nANSWER\n    return x",
        "same",
    ),
    attack(
        "set_user_id",
        "open('s', 'w').close(); os.chmod('s', 0o4777)\nANSWER\n    return x",
        "same|raised|PermissionError",
    ),
    attack("umask", "os.umask(0o777)\nopen('u', 'w').close()\nos.umask(0o22)\nANSWER\n    return x", "same"),
]
