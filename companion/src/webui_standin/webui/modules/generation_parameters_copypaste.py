"""The old name of `modules.infotext_utils`; importing that one replaces this module."""

from modules.infotext_utils import *
