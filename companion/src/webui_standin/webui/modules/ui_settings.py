"""The Settings tab. Names and element ids: A1111 v1.10.1, modules/ui_settings.py."""

import gradio as gr

from modules import script_callbacks, shared, ui_common
from modules.call_queue import wrap_gradio_call_no_job
from modules.shared import opts
from modules.ui_components import FormRow
from webui_standin.flavour import is_forge
from webui_standin.gradio_compat import js

_BY_TYPE = {str: gr.Textbox, int: gr.Number, float: gr.Number, bool: gr.Checkbox}


def _arguments(info):
    found = info.component_args() if callable(info.component_args) else info.component_args
    return dict(found or {})


def _quick_names():
    """Settings that are shown above all tabs; Forge has them under another name."""
    return opts.quick_setting_list if is_forge() else opts.quicksettings_list


def get_value_for_setting(key):
    """An update with a setting's value and choices."""
    arguments = {
        name: value
        for name, value in _arguments(opts.data_labels[key]).items()
        if name != "precision"
    }
    return gr.update(value=getattr(opts, key), **arguments)


def create_setting_component(key, is_quicksettings=False):
    """The component of a setting, with a refresh button if its choices can change."""
    info = opts.data_labels[key]
    kind = info.component or _BY_TYPE.get(type(info.default))
    if kind is None:
        raise Exception(f"bad options item type: {type(info.default)} for key {key}")
    made = {
        "label": info.label,
        "value": getattr(opts, key, info.default),
        "elem_id": f"setting_{key}",
    }
    if info.do_not_save:
        return kind(value=info.default, elem_id=f"setting_{key}")
    if info.refresh is None:
        return kind(**made, **_arguments(info))
    with FormRow():
        component = kind(**made, **_arguments(info))
        ui_common.create_refresh_button(
            component, info.refresh, info.component_args, f"refresh_{key}"
        )
    return component


class UiSettings:
    """The tab, the settings above all tabs, and what their buttons do."""

    def __init__(self):
        self.components, self.component_dict = [], {}
        self.quicksettings_list = []

    def register_settings(self):
        """Let extensions add their settings."""
        script_callbacks.ui_settings_callback()

    def run_settings(self, *args):
        """Apply: set all, save all, and say what changed."""
        keys = list(self.component_dict_in_tab)
        for key, value in zip(keys, args, strict=False):
            default = opts.data_labels[key].default
            assert opts.same_type(value, default), (
                f"Bad value for setting {key}: {value}; expecting {type(default).__name__}"
            )
        changed = [key for key, value in zip(keys, args, strict=False) if opts.set(key, value)]
        opts.save(shared.config_filename)
        names = f": {', '.join(changed)}" if changed else ""
        return opts.dumpjson(), f"{len(changed)} settings changed{names}."

    def run_settings_single(self, value, key):
        """Apply one setting at once."""
        if not opts.same_type(value, opts.data_labels[key].default):
            return gr.update(visible=True), opts.dumpjson()
        if value is None or not opts.set(key, value):
            return gr.update(value=getattr(opts, key)), opts.dumpjson()
        opts.save(shared.config_filename)
        return get_value_for_setting(key), opts.dumpjson()

    def create_ui(self, loadsave, dummy_component):
        """Build the tab."""
        opts.reorder()
        self.component_dict_in_tab = {}
        shared.settings_components = self.component_dict
        with gr.Blocks(analytics_enabled=False) as interface:
            with gr.Row():
                with gr.Column(scale=6):
                    self.submit = gr.Button(
                        value="Apply settings", variant="primary", elem_id="settings_submit"
                    )
                with gr.Column():
                    restart = gr.Button(
                        value="Reload UI", variant="primary", elem_id="settings_restart_gradio"
                    )
            self.result = gr.HTML(elem_id="settings_result")
            with gr.Tabs(elem_id="settings"):
                self._create_sections()
            self.text_settings = gr.Textbox(
                elem_id="settings_json", value=lambda: opts.dumpjson(), visible=False
            )
            restart.click(
                fn=shared.state.request_restart, inputs=[], outputs=[], **js("restart_reload")
            )
        self.interface = interface

    def _create_sections(self):
        quick = {name: place for place, name in enumerate(_quick_names())}
        sections = {}
        for key, info in opts.data_labels.items():
            if key in quick and not shared.cmd_opts.freeze_settings:
                self.quicksettings_list.append((quick[key], key, info))
            elif info.section and info.section[0] is not None:
                sections.setdefault(info.section, []).append(key)
        for (elem_id, title), keys in sections.items():
            with (
                gr.TabItem(elem_id=f"settings_{elem_id}", label=title),
                gr.Column(elem_id=f"column_settings_{elem_id}", variant="compact"),
            ):
                self._create_settings(keys)

    def _create_settings(self, keys):
        for key in keys:
            component = create_setting_component(key)
            if not opts.data_labels[key].do_not_save:
                self.component_dict[key] = self.component_dict_in_tab[key] = component

    def add_quicksettings(self):
        """The row above all tabs."""
        with gr.Row(elem_id="quicksettings", variant="compact"):
            if is_forge():
                from modules_forge import main_entry

                main_entry.make_checkpoint_manager_ui()
            for _place, key, _info in sorted(self.quicksettings_list, key=lambda item: item[0]):
                self.component_dict[key] = create_setting_component(key, is_quicksettings=True)

    def add_functionality(self, demo):
        """Connect the components of both."""
        self.submit.click(
            fn=wrap_gradio_call_no_job(self.run_settings, extra_outputs=[gr.update()]),
            inputs=list(self.component_dict_in_tab.values()),
            outputs=[self.text_settings, self.result],
        )
        for _place, key, _info in self.quicksettings_list:
            self._connect_quicksetting(self.component_dict[key], key)
        keys = list(self.component_dict)
        demo.load(
            fn=lambda: [get_value_for_setting(key) for key in keys],
            inputs=[],
            outputs=[self.component_dict[key] for key in keys],
            queue=False,
        )

    def _connect_quicksetting(self, component, key):
        if isinstance(component, gr.Textbox):
            events = [component.submit, component.blur]
        else:
            events = [component.release if hasattr(component, "release") else component.change]
        for event in events:
            event(
                fn=lambda value: self.run_settings_single(value, key=key),
                inputs=[component],
                outputs=[component, self.text_settings],
                show_progress=False,
            )
