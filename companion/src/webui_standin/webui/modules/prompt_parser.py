"""Attention in prompts: (more), [less], (exactly:1.3). Name from A1111 v1.10.1,
modules/prompt_parser.py."""

import re

_TOKEN = re.compile(r"\\.|:\s*[+-]?[\d.]+\s*\)|[()\[\]]|[^\\()\[\]:]+|:")


def parse_prompt_attention(text):
    """Split a prompt into [text, weight] pairs; a round bracket is × 1.1, a square one ÷ 1.1."""
    parts, open_round, open_square = [], [], []
    for token in _TOKEN.findall(text):
        if token == "(":
            open_round.append(len(parts))
        elif token == "[":
            open_square.append(len(parts))
        elif token.startswith(":") and token.endswith(")") and open_round:
            _weigh(parts, open_round.pop(), float(token[1:-1]))
        elif token == ")" and open_round:
            _weigh(parts, open_round.pop(), 1.1)
        elif token == "]" and open_square:
            _weigh(parts, open_square.pop(), 1 / 1.1)
        else:
            parts.append([token[1:] if token[0] == "\\" else token, 1.0])
    for start in open_round:
        _weigh(parts, start, 1.1)
    for start in open_square:
        _weigh(parts, start, 1 / 1.1)
    return parts or [["", 1.0]]


def _weigh(parts, start, factor):
    for part in parts[start:]:
        part[1] *= factor
