"""Settings: their descriptions and their values. Contract: A1111 v1.10.1, modules/options.py.

`data` holds only what was set or read from config.json; every other option answers its default.
That gap is what lets an override of an absent option survive its job.
"""

import json
import os
import sys
from dataclasses import dataclass

import gradio as gr

from modules import errors
from modules.shared_cmd_options import cmd_opts

_OWN_FIELDS = {"data_labels", "data", "restricted_opts", "typemap"}


class OptionInfo:
    """One setting: default, label, component, and how it appears in infotexts and the API."""

    def __init__(
        self,
        default=None,
        label="",
        component=None,
        component_args=None,
        onchange=None,
        section=None,
        refresh=None,
        comment_before="",
        comment_after="",
        infotext=None,
        restrict_api=False,
        category_id=None,
    ):
        self.default, self.label, self.section = default, label, section
        self.component, self.component_args = component, component_args
        self.onchange, self.refresh = onchange, refresh
        self.comment_before, self.comment_after = comment_before, comment_after
        self.infotext, self.restrict_api, self.category_id = infotext, restrict_api, category_id
        self.do_not_save = False

    def link(self, label, url):
        """Add a link in front of the setting."""
        self.comment_before += f"[<a href='{url}' target='_blank'>{label}</a>]"
        return self

    def js(self, label, js_func):
        """Add a link that calls a function of the page."""
        self.comment_before += f"[<a onclick='{js_func}(); return false'>{label}</a>]"
        return self

    def info(self, info):
        """Add a remark behind the setting."""
        return self.html(f"<span class='info'>({info})</span>")

    def html(self, html):
        """Add HTML behind the setting."""
        self.comment_after += html
        return self

    def needs_restart(self):
        """Say that the setting needs a restart."""
        return self.html(" <span class='info'>(requires restart)</span>")

    def needs_reload_ui(self):
        """Say that the setting needs Reload UI."""
        return self.html(" <span class='info'>(requires Reload UI)</span>")


class OptionHTML(OptionInfo):
    """A text between settings; it has no value."""

    def __init__(self, text):
        super().__init__(
            str(text).strip(), "", lambda **kwargs: gr.HTML(elem_classes="settings-info", **kwargs)
        )
        self.do_not_save = True


def options_section(section_identifier, options_dict):
    """Put all options of a dict into a section: (id, title) or (id, title, category)."""
    for option in options_dict.values():
        option.section = tuple(section_identifier[:2])
        if len(section_identifier) == 3:
            option.category_id = section_identifier[2]
    return options_dict


class Options:
    """All settings; reading an attribute answers the value or the default."""

    typemap = {int: float}  # noqa: RUF012 - extensions read it from the class

    def __init__(self, data_labels, restricted_opts):
        self.data_labels = data_labels
        self.data = {key: info.default for key, info in data_labels.items() if not info.do_not_save}
        self.restricted_opts = restricted_opts

    def __setattr__(self, key, value):
        if key in _OWN_FIELDS or (key not in self.data and key not in self.data_labels):
            object.__setattr__(self, key, value)
            return
        info = self.data_labels.get(key)
        if info is not None and info.do_not_save:
            return
        self._check_frozen(key, info)
        self.data[key] = value

    def _check_frozen(self, key, info):
        assert not cmd_opts.freeze_settings, "changing settings is disabled"
        sections = _names(cmd_opts.freeze_settings_in_sections)
        assert not (info and info.section and info.section[0] in sections), (
            f"section of {key} is frozen"
        )
        assert key not in _names(cmd_opts.freeze_specific_settings), f"{key} is frozen"
        arguments = info.component_args if info else None
        hidden = isinstance(arguments, dict) and arguments.get("visible", True) is False
        if hidden or (cmd_opts.hide_ui_dir_config and key in self.restricted_opts):
            raise RuntimeError(f"not possible to set '{key}' because it is restricted")

    def __getattr__(self, item):
        if item not in _OWN_FIELDS:
            if item in self.data:
                return self.data[item]
            if item in self.data_labels:
                return self.data_labels[item].default
        raise AttributeError(f"'Options' object has no attribute '{item}'")

    def set(self, key, value, is_api=False, run_callbacks=True):
        """Set an option and call its onchange; return whether it changed. Unknown: KeyError."""
        before = self.data.get(key)
        if before == value:
            return False
        info = self.data_labels[key]
        if info.do_not_save or (is_api and info.restrict_api):
            return False
        try:
            setattr(self, key, value)
        except RuntimeError:
            return False
        return self._changed(key, info, before, value) if run_callbacks and info.onchange else True

    def _changed(self, key, info, before, value):
        try:
            info.onchange()
        except Exception as error:
            errors.display(error, f"changing setting {key} to {value}")
            setattr(self, key, before)
            return False
        return True

    def get_default(self, key):
        """The default of an option, None for an unknown one."""
        info = self.data_labels.get(key)
        return None if info is None else info.default

    def save(self, filename):
        """Write the known values as JSON."""
        assert not cmd_opts.freeze_settings, "saving settings is disabled"
        with open(filename, "w", encoding="utf8") as file:
            json.dump(self.data, file, indent=4, ensure_ascii=False)

    def load(self, filename):
        """Read the values; without a file nothing is known and all options answer defaults."""
        try:
            with open(filename, encoding="utf8") as file:
                self.data = json.load(file)
        except FileNotFoundError:
            self.data = {}
        except ValueError:
            errors.report(f"Could not load settings from {filename}", exc_info=True)
            os.replace(filename, filename + ".broken")
            self.data = {}
        for key, value in self.data.items():
            info = self.data_labels.get(key)
            if info is not None and not self.same_type(info.default, value):
                print(f"Warning: bad setting value: {key}: {value}", file=sys.stderr)

    def same_type(self, x, y):
        """Tell whether two values have one type; None fits everything and int is float."""
        if x is None or y is None:
            return True
        return self.typemap.get(type(x), type(x)) == self.typemap.get(type(y), type(y))

    def onchange(self, key, func, call=True):
        """Call `func` when the option changes, and now unless `call` is False."""
        self.data_labels[key].onchange = func
        if call:
            func()

    def dumpjson(self):
        """All values and the texts around them: what the page keeps as `opts`."""
        labels = self.data_labels
        dump = {key: self.data.get(key, info.default) for key, info in labels.items()}
        dump["_comments_before"] = {key: info.comment_before for key, info in labels.items()}
        dump["_comments_after"] = {key: info.comment_after for key, info in labels.items()}
        dump["_categories"] = [*self._first_sections(), ["Defaults", "Other"]]
        return json.dumps(dump)

    def _first_sections(self):
        found = {}
        for info in self.data_labels.values():
            if info.section and info.section[0] is not None:
                category = categories.mapping.get(info.category_id)
                found.setdefault(category.label if category else "Uncategorized", info.section[1])
        return [[section, category] for category, section in found.items()]

    def add_option(self, key, info):
        """Register an extension's option; its default counts as known from now on."""
        self.data_labels[key] = info
        if key not in self.data and not info.do_not_save:
            self.data[key] = info.default

    def reorder(self):
        """Sort options so that categories and sections lie together."""
        order = {category: index for index, category in enumerate(categories.mapping)}
        home = {}
        for info in self.data_labels.values():
            home.setdefault(info.section, info.category_id)
        for info in self.data_labels.values():
            info.category_id = home[info.section]

        def place(item):
            return order.get(item[1].category_id, len(order)), (item[1].section or ("", ""))[1]

        self.data_labels = dict(sorted(self.data_labels.items(), key=place))

    def cast_value(self, key, value):
        """Turn a text from an infotext into the option's type."""
        default = self.data_labels[key].default
        default = getattr(self, key, None) if default is None else default
        if value is None or default is None:
            return None
        if isinstance(default, bool) and value == "False":
            return False
        return type(default)(value)


def _names(text):
    return {name.strip() for name in (text or "").split(",") if name.strip()}


@dataclass
class OptionsCategory:
    """A heading above sections."""

    id: str
    label: str


class OptionsCategories:
    """All headings in order."""

    def __init__(self):
        self.mapping = {}

    def register_category(self, category_id, label):
        """Add a heading once."""
        self.mapping.setdefault(category_id, OptionsCategory(category_id, label))
        return category_id


categories = OptionsCategories()
