// Globals that extensions' JavaScript uses. Names and timing as in A1111 v1.10.1, script.js.

function gradioApp() {
    const root = document.querySelector('gradio-app');
    if (!root) return document;
    root.getElementById = (id) => document.getElementById(id);
    return root.shadowRoot || root;
}

function get_uiCurrentTab() {
    return gradioApp().querySelector('#tabs > .tab-nav > button.selected');
}

function get_uiCurrentTabContent() {
    return gradioApp().querySelector('#tabs > .tabitem[id^=tab_]:not([style*="display: none"])');
}

var uiUpdateCallbacks = [];
var uiAfterUpdateCallbacks = [];
var uiLoadedCallbacks = [];
var uiTabChangeCallbacks = [];
var optionsChangedCallbacks = [];
var optionsAvailableCallbacks = [];
var uiCurrentTab = null;
var opts = {};

function onUiUpdate(callback) { uiUpdateCallbacks.push(callback); }
function onAfterUiUpdate(callback) { uiAfterUpdateCallbacks.push(callback); }
function onUiLoaded(callback) { uiLoadedCallbacks.push(callback); }
function onUiTabChange(callback) { uiTabChangeCallbacks.push(callback); }
function onOptionsChanged(callback) { optionsChangedCallbacks.push(callback); }

function onOptionsAvailable(callback) {
    if (Object.keys(opts).length) callback();
    else optionsAvailableCallbacks.push(callback);
}

function executeCallbacks(queue, arg) {
    queue.forEach(function(callback) {
        try {
            callback(arg);
        } catch (error) {
            console.error('error running callback', callback, ':', error);
        }
    });
}

(function() {
    let loaded = false;
    let later = null;

    function observed(mutations) {
        if (!loaded && gradioApp().querySelector('#txt2img_prompt')) {
            loaded = true;
            executeCallbacks(uiLoadedCallbacks);
        }
        executeCallbacks(uiUpdateCallbacks, mutations);
        clearTimeout(later);
        later = setTimeout(() => executeCallbacks(uiAfterUpdateCallbacks), 200);
        const tab = get_uiCurrentTab();
        if (tab && tab !== uiCurrentTab) {
            uiCurrentTab = tab;
            executeCallbacks(uiTabChangeCallbacks);
        }
    }

    document.addEventListener('DOMContentLoaded', function() {
        new MutationObserver(observed).observe(gradioApp(), {childList: true, subtree: true});
    });

    document.addEventListener('keydown', function(event) {
        const content = get_uiCurrentTabContent();
        const press = (part) => content && content.querySelector(`button[id$=_${part}]`)?.click();
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            press('generate');
            event.preventDefault();
        } else if (event.key === 'Enter' && event.altKey) {
            press('skip');
            event.preventDefault();
        }
    });
})();

function uiElementIsVisible(element) {
    for (; element && element !== document; element = element.parentNode) {
        if (element instanceof Element && getComputedStyle(element).display === 'none') return false;
    }
    return true;
}

function uiElementInSight(element) {
    const box = element.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight;
}
