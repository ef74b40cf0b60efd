// Pictures to draw on, for gradio 4, whose own editor needs WebGL. A hidden text holds the value:
// {"background": data URL of the uploaded file, "foreground": data URL of the strokes or null}.

function setupSketchpad(root) {
    if (root.dataset.ready) return;
    const area = gradioApp().querySelector(`#${root.dataset.target} textarea`);
    if (!area) return;
    root.dataset.ready = '1';
    root.innerHTML = '<div class="sketchpad-tools"><input type="file" accept="image/*">' +
        '<label>Brush <input type="range" min="2" max="100" value="24"></label>' +
        '<input type="color" value="#ffffff"><button type="button">Clear strokes</button></div>';
    const [file, size, colour] = root.querySelectorAll('input');
    colour.hidden = root.dataset.kind === 'mask';
    const pad = {root, area, size, colour, background: null, strokes: document.createElement('canvas')};
    file.addEventListener('change', () => readPicture(pad, file.files[0]));
    root.querySelector('button').addEventListener('click', () => showPicture(pad, pad.background));
    watchValue(area, (text) => showPicture(pad, JSON.parse(text).background));
}

function readPicture(pad, file) {
    const reader = new FileReader();
    reader.onload = () => showPicture(pad, reader.result);
    if (file) reader.readAsDataURL(file);
}

function showPicture(pad, url) {
    if (!url) return;
    const picture = new Image();
    picture.onload = function() {
        pad.root.querySelector('canvas')?.remove();
        pad.canvas = document.createElement('canvas');
        pad.root.appendChild(pad.canvas);
        for (const canvas of [pad.canvas, pad.strokes]) {
            canvas.width = picture.naturalWidth;
            canvas.height = picture.naturalHeight;
        }
        Object.assign(pad, {background: url, picture});
        listenToPointer(pad);
        paint(pad);
        tellValue(pad, false);
    };
    picture.src = url;
}

function paint(pad) {
    const context = pad.canvas.getContext('2d');
    context.drawImage(pad.picture, 0, 0);
    context.globalAlpha = pad.root.dataset.kind === 'mask' ? 0.7 : 1;
    context.drawImage(pad.strokes, 0, 0);
    context.globalAlpha = 1;
}

function listenToPointer(pad) {
    let last = null;
    const place = function(event) {
        const box = pad.canvas.getBoundingClientRect();
        const scale = pad.canvas.width / box.width;
        return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    };
    pad.canvas.addEventListener('pointerdown', function(event) {
        pad.canvas.setPointerCapture(event.pointerId);
        last = place(event);
    });
    pad.canvas.addEventListener('pointermove', function(event) {
        if (!last) return;
        const next = place(event);
        stroke(pad, last, next);
        last = next;
    });
    pad.canvas.addEventListener('pointerup', function() {
        last = null;
        tellValue(pad, true);
    });
}

function stroke(pad, from, to) {
    const context = pad.strokes.getContext('2d');
    context.lineCap = 'round';
    context.lineWidth = Number(pad.size.value) * pad.canvas.width / 500;
    context.strokeStyle = pad.root.dataset.kind === 'mask' ? '#ffffff' : pad.colour.value;
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    paint(pad);
}

function tellValue(pad, drawn) {
    const foreground = drawn ? pad.strokes.toDataURL('image/png') : null;
    const value = JSON.stringify({background: pad.background, foreground});
    // Past our own watcher: the picture is on the pad already.
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(pad.area, value);
    updateInput(pad.area);
}

function setupSketchpads() {
    gradioApp().querySelectorAll('.standin-sketchpad').forEach(setupSketchpad);
}

onUiLoaded(setupSketchpads);
onAfterUiUpdate(setupSketchpads);
