"""Every option once: its name, type, default, meaning and checks. `--help`, YAML keys and flags come from here.

A group is what a part of the program needs to know, and no more. It is a file, a section of `--help`, and a field of
`table.Options`: `options.data.root_dir` is declared in `data.py`. Its name is its flag, `--root_dir`, and its key in a
YAML file.

    table.py               all groups: Options, from_flat, flat, replace
    verbs.py, data.py ...  one group each
    group.py               what a group is
    declaring.py           how an option is declared
    checks.py              which values it refuses
    settling.py            how its value is read, from a flag or from YAML
"""
