// What the page's buttons call before they reach the server. Names, arguments and stored keys as in
// A1111 v1.10.1, javascript/ui.js, localStorage.js and progressbar.js.

function localSet(key, value) { try { localStorage.setItem(key, value); } catch (error) { console.warn(error); } }
function localGet(key, other) { try { return localStorage.getItem(key); } catch (error) { return other; } }
function localRemove(key) { try { localStorage.removeItem(key); } catch (error) { console.warn(error); } }

window.args_to_array = Array.from;

function randomId() {
    const part = () => Math.random().toString(36).slice(2, 7);
    return `task(${part()}${part()}${part()})`;
}

function updateInput(target) {
    target.dispatchEvent(new Event('input', {bubbles: true}));
}

function get_tab_index(id) {
    const buttons = [...gradioApp().getElementById(id).querySelector('div').querySelectorAll('button')];
    return Math.max(0, buttons.findIndex((button) => button.classList.contains('selected')));
}

function create_tab_index_args(id, args) {
    const values = Array.from(args);
    values[0] = get_tab_index(id);
    return values;
}

function create_submit_args(args) {
    // gradio sends the outputs along; a gallery of pictures needn't be uploaded again.
    const values = Array.from(args);
    if (Array.isArray(values[values.length - 3])) values[values.length - 3] = null;
    return values;
}

function all_gallery_buttons() {
    const shown = '.tabitem div[id$=_gallery] .thumbnails > .thumbnail-item.thumbnail-small';
    return [...gradioApp().querySelectorAll(shown)].filter((element) => element.parentElement.offsetParent);
}

function selected_gallery_button() {
    return all_gallery_buttons().find((element) => element.classList.contains('selected')) ?? null;
}

function selected_gallery_index() {
    return all_gallery_buttons().findIndex((element) => element.classList.contains('selected'));
}

function selected_gallery_index_id(id) {
    const items = [...gradioApp().querySelectorAll(`#${id} .thumbnail-item.thumbnail-small`)];
    return items.findIndex((element) => element.classList.contains('selected'));
}

function extract_image_from_gallery(gallery) {
    if (!gallery.length) return [null];
    const index = selected_gallery_index();
    return [[gallery[index >= 0 && index < gallery.length ? index : 0]]];
}

function pressTab(index) {
    gradioApp().querySelectorAll('#tabs > .tab-nav > button')[index].click();
}

function switch_to_txt2img() { pressTab(0); return Array.from(arguments); }
function switch_to_extras() { pressTab(2); return Array.from(arguments); }
function switch_to_img2img_tab(index) {
    pressTab(1);
    gradioApp().querySelectorAll('#mode_img2img > .tab-nav > button')[index].click();
}
function switch_to_img2img() { switch_to_img2img_tab(0); return Array.from(arguments); }
function switch_to_sketch() { switch_to_img2img_tab(1); return Array.from(arguments); }
function switch_to_inpaint() { switch_to_img2img_tab(2); return Array.from(arguments); }
function switch_to_inpaint_sketch() { switch_to_img2img_tab(3); return Array.from(arguments); }

function setSubmitButtonsVisibility(tab, interrupt, skip, interrupting) {
    const show = (part, on) => {
        const button = gradioApp().getElementById(`${tab}_${part}`);
        if (button) button.style.display = on ? 'block' : 'none';
    };
    show('interrupt', interrupt);
    show('skip', skip);
    show('interrupting', interrupting);
}

function showSubmitButtons(tab, on) { setSubmitButtonsVisibility(tab, !on, !on, false); }
function showSubmitInterruptingPlaceholder(tab) { setSubmitButtonsVisibility(tab, false, true, true); }

function showRestoreProgressButton(tab, on) {
    const button = gradioApp().getElementById(`${tab}_restore_progress`);
    if (button) button.style.setProperty('display', on ? 'flex' : 'none', 'important');
}

async function askProgress(id, idLivePreview) {
    const answer = await fetch('./internal/progress', {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({id_task: id, id_live_preview: idLivePreview}),
    });
    return answer.json();
}

// Asks for a task's progress until it is over; draws a bar before `container`, a preview into `gallery`.
function requestProgress(id, container, gallery, atEnd, onProgress, inactivityTimeout = 40) {
    const bar = document.createElement('div');
    bar.className = 'progressDiv';
    bar.appendChild(document.createElement('div')).className = 'progress';
    container.parentNode.insertBefore(bar, container);
    const start = Date.now();
    let wasActive = false;

    const end = function() {
        bar.remove();
        gallery?.querySelector('.livePreview')?.remove();
        atEnd();
    };
    const step = async function(preview) {
        let known;
        try {
            known = await askProgress(id, preview);
        } catch (error) {
            return end();
        }
        const idle = !known.active && !known.queued && (Date.now() - start) / 1000 > inactivityTimeout;
        if (known.completed || (wasActive && !known.active) || idle) return end();
        wasActive = wasActive || known.active;
        bar.firstChild.style.width = `${(known.progress || 0) * 100}%`;
        bar.firstChild.textContent = known.textinfo || '';
        if (known.live_preview && gallery) showLivePreview(gallery, known.live_preview);
        onProgress?.(known);
        setTimeout(() => step(known.id_live_preview ?? preview), Math.min(opts.live_preview_refresh_period || 500, 500));
    };
    step(-1);
}

function showLivePreview(gallery, source) {
    let box = gallery.querySelector('.livePreview');
    if (!box) {
        box = document.createElement('div');
        box.className = 'livePreview';
        gallery.insertBefore(box, gallery.firstElementChild);
    }
    const picture = new Image();
    picture.src = source;
    box.replaceChildren(picture);
}

function followTask(tab, id, timeout) {
    const part = (name) => gradioApp().getElementById(`${tab}_${name}`);
    requestProgress(id, part('gallery_container'), part('gallery'), function() {
        showSubmitButtons(tab, true);
        localRemove(`${tab}_task_id`);
        showRestoreProgressButton(tab, false);
    }, null, timeout);
}

function submitTask(tab, args) {
    const id = randomId();
    showSubmitButtons(tab, false);
    localSet(`${tab}_task_id`, id);
    followTask(tab, id);
    const values = create_submit_args(args);
    values[0] = id;
    return values;
}

function submit() { return submitTask('txt2img', arguments); }
function submit_extras() { return submitTask('extras', arguments); }

function submit_txt2img_upscale() {
    const values = submitTask('txt2img', arguments);
    values[2] = String(selected_gallery_index());
    return values;
}

function submit_img2img() {
    const values = submitTask('img2img', arguments);
    values[1] = get_tab_index('mode_img2img');
    return values;
}

function restoreTask(tab) {
    const id = localGet(`${tab}_task_id`);
    showRestoreProgressButton(tab, false);
    if (id) {
        showSubmitInterruptingPlaceholder(tab);
        followTask(tab, id, 0);
    }
    return [id];
}

function restoreProgressTxt2img() { return restoreTask('txt2img'); }
function restoreProgressImg2img() { return restoreTask('img2img'); }

onUiLoaded(function() {
    for (const tab of ['txt2img', 'img2img']) {
        showSubmitButtons(tab, true);
        showRestoreProgressButton(tab, Boolean(localGet(`${tab}_task_id`)));
    }
    showSubmitButtons('extras', true);
});

onAfterUiUpdate(function() {
    const area = gradioApp().querySelector('#settings_json textarea');
    if (!area || Object.keys(opts).length) return;
    opts = JSON.parse(area.value);
    executeCallbacks(optionsAvailableCallbacks);
    executeCallbacks(optionsChangedCallbacks);
    watchValue(area, function(text) {
        opts = JSON.parse(text);
        executeCallbacks(optionsChangedCallbacks);
    });
});

// Calls back when gradio writes a new value into a text area, which it does without an event.
function watchValue(area, callback) {
    const original = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value');
    Object.defineProperty(area, 'value', {
        configurable: true,
        get() { return original.get.call(area); },
        set(text) {
            const before = original.get.call(area);
            original.set.call(area, text);
            if (text && before !== text) callback(text);
        },
    });
}

onOptionsChanged(function() {
    const element = gradioApp().getElementById('sd_checkpoint_hash');
    if (element) element.textContent = (opts.sd_checkpoint_hash || '').slice(0, 10);
});

function restart_reload() {
    document.body.innerHTML = '<h1 style="text-align:center;margin-top:20%">Reloading...</h1>';
    const ask = () => fetch('./standin/ready').then((answer) => answer.ok ? location.reload() : setTimeout(ask, 300), () => setTimeout(ask, 300));
    setTimeout(ask, 1500);
    return [];
}

function confirm_clear_prompt(prompt, negative) {
    return confirm('Delete prompt?') ? ['', ''] : [prompt, negative];
}

function setRandomSeed(id) {
    const input = gradioApp().querySelector(`#${id} input`);
    if (input) {
        input.value = '-1';
        updateInput(input);
    }
    return [];
}

function switchWidthHeight(tab) {
    const [width, height] = ['width', 'height'].map((side) => gradioApp().querySelector(`#${tab}_${side} input[type=number]`));
    if (width && height) {
        [width.value, height.value] = [height.value, width.value];
        updateInput(width);
        updateInput(height);
    }
    return [];
}

function onEdit(id, element, afterMs, call) {
    const edited = function() {
        clearTimeout(onEdit.timers[id]);
        onEdit.timers[id] = setTimeout(call, afterMs);
    };
    element.addEventListener('input', edited);
    return edited;
}
onEdit.timers = {};

onAfterUiUpdate(function() {
    // A click on a thumbnail shows its infotext.
    for (const tab of ['txt2img', 'img2img']) {
        const index = selected_gallery_index_id(`${tab}_gallery`);
        const button = gradioApp().getElementById(`${tab}_generation_info_button`);
        if (button && index >= 0 && button.dataset.shown !== String(index)) {
            button.dataset.shown = String(index);
            button.click();
        }
    }
});
