// Ties an accordion to its hidden checkbox and to a visible one in its title.
// Element ids as in A1111 v1.10.1, javascript/inputAccordion.js.

function inputAccordionChecked(id, checked) {
    const accordion = gradioApp().getElementById(id);
    if (accordion?.visibleCheckbox) accordion.setChecked(checked);
}

function setupAccordion(accordion) {
    const label = accordion.querySelector('.label-wrap');
    const hidden = gradioApp().querySelector(`#${accordion.id}-checkbox input`);
    if (!label || !hidden || accordion.visibleCheckbox) return;
    const isOpen = () => label.classList.contains('open');
    const extra = gradioApp().querySelector(`#${accordion.id}-extra`);
    if (extra) label.insertBefore(extra, label.lastElementChild);

    const visible = document.createElement('input');
    visible.type = 'checkbox';
    visible.id = `${accordion.id}-visible-checkbox`;
    visible.className = `${hidden.className} input-accordion-checkbox`;
    visible.checked = isOpen();
    const title = label.querySelector('span');
    title.insertBefore(visible, title.firstChild);
    accordion.visibleCheckbox = visible;

    const tell = function() {
        if (hidden.checked !== visible.checked) hidden.click();
    };
    accordion.setChecked = function(checked) {
        visible.checked = checked;
        if (isOpen() !== checked) label.click();
    };
    let linked = true;
    visible.addEventListener('click', function(event) {
        linked = false;  // a tick decides from now on, whether the accordion is open or not
        event.stopPropagation();
    });
    visible.addEventListener('input', tell);
    new MutationObserver(function() {
        accordion.classList.toggle('input-accordion-open', isOpen());
        if (linked) {
            visible.checked = isOpen();
            tell();
        }
    }).observe(label, {attributes: true, attributeFilter: ['class']});
}

onUiLoaded(() => gradioApp().querySelectorAll('.input-accordion').forEach(setupAccordion));
onAfterUiUpdate(() => gradioApp().querySelectorAll('.input-accordion').forEach(setupAccordion));
