'use strict';
// What a browser of today gets on top. Without it every page works all the same: nothing here does what a form or a link
// on the page does not.
(function () {
  var $ = function (q, from) { return (from || document).querySelector(q); };
  var all = function (q) { return Array.prototype.slice.call(document.querySelectorAll(q)); };
  var make = function (tag, text, cls) {
    var e = document.createElement(tag);
    if (text) e.textContent = text;
    if (cls) e.className = cls;
    return e;
  };
  var self = document.body.dataset.self || location.pathname;

  // Parts of the page that a newer copy of it may replace; what is being written is none of them.
  var parts = ['#title', '#text', '#links', '#older', '#list'];
  var shown = {}; // each part as it came: what has not changed stays, with the focus and the selection in it

  function show(part, copy) {
    if (shown[part] === copy.outerHTML) return;
    shown[part] = copy.outerHTML;
    $(part).replaceWith(document.importNode(copy, true));
  }

  function take(html, withForms) {
    var fresh = new DOMParser().parseFromString(html, 'text/html');
    if (!$('#list', fresh) || !$('#list')) { location.reload(); return; }
    var at = nameOf(document.activeElement);
    parts.concat(withForms ? ['#notice', '#forms'] : []).forEach(function (q) {
      show(q, $(q, fresh));
    });
    document.title = fresh.title;
    var upto = $('[name=upto]', fresh);
    if (upto) all('[name=upto]').forEach(function (f) { f.value = upto.value; });
    dress();
    offerNotifications();
    var again = at && document.activeElement === document.body && all('#page a, #page button, #page input').find(function (e) { return nameOf(e) === at; });
    if (again) again.focus({ preventScroll: true });
  }

  // nameOf is what a link or a part of a player is known by in two copies of the page, so that who goes by keys stays there.
  function nameOf(e) {
    var li = e && e.closest('li'), sound = li && $('audio[data-seq]', li);
    return e && (e.getAttribute('href') || (sound && e.tagName + sound.dataset.seq));
  }

  function playing() { return all('audio').some(function (a) { return !a.paused; }); }

  // Live arrival: the server says that there is something new, and the page asks for itself again.
  var late = false;
  function refresh() {
    if (playing()) { late = true; return; }
    late = false;
    fetch(self, { credentials: 'same-origin', headers: { Accept: 'text/html' } })
      .then(function (r) { if (r.ok) return r.text(); throw r.status; })
      .then(function (html) {
        var before = $('#list').innerHTML;
        take(html, false);
        if ($('#list').innerHTML === before) return;
        toEnd();
        tell();
      })
      .catch(function () {});
  }
  function live() {
    if (!window.EventSource || !document.body.dataset.live) return;
    var stream = new EventSource(document.body.dataset.live);
    stream.addEventListener('new', refresh);
    stream.addEventListener('open', function () {
      document.body.classList.add('arrives'); // on its own: nobody needs to look again
      refresh(); // for what came since this page was made, or while the line was down
    });
    stream.addEventListener('error', function () { document.body.classList.remove('arrives'); });
  }

  // Notifications: only after the user asked for them, without a word of what the message says.
  function tell() {
    if (document.hidden && window.Notification && Notification.permission === 'granted')
      new Notification($('#title').textContent, { tag: 'hark' });
  }
  function offerNotifications() {
    if (!window.Notification || Notification.permission !== 'default' || !$('#links') || $('#links button')) return;
    var b = make('button', 'Notify me', 'plain');
    b.type = 'button';
    b.onclick = function () { Notification.requestPermission().then(function () { b.remove(); }); };
    $('#links').append(' ', b);
  }

  // Sending: the message stands there at once, and is sent again with the same one-time number until it has arrived.
  function send(form, button) {
    var area = $('textarea', form) || $('[name=text]', form), text = area.value;
    if (!text.trim() && !(button && button.name)) return;
    var data = new URLSearchParams(new FormData(form));
    if (button && button.name) data.set(button.name, button.value);
    var li = make('li', '', 'mine'), state = make('small', 'being sent …');
    li.append(make('b', 'You', 'who'), ' ', state, make('p', text, 'said'));
    $('p.said', li).dir = 'auto';
    $('#list').append(li);
    delete shown['#list']; // as it came it has no such line
    if (area.tagName === 'TEXTAREA') { area.value = ''; area.focus(); }
    toEnd();
    (function attempt(wait) {
      fetch(form.action, { method: 'POST', body: data, credentials: 'same-origin' })
        .then(function (r) { if (r.status >= 500 || r.status === 429) throw r.status; return r.text(); })
        .then(function (html) { var kept = area.value; take(html, true); var a = $('textarea'); if (a && kept.trim() && !a.value) a.value = kept; if (a) a.focus(); toEnd(); })
        .catch(function () {
          state.textContent = 'not sent yet; it is tried again';
          setTimeout(attempt, wait, Math.min(wait * 2, 30000));
        });
    })(1000);
  }
  document.addEventListener('submit', function (e) {
    if (!/\/send$/.test(e.target.action) || !/\/with\//.test(e.target.action)) return;
    e.preventDefault();
    send(e.target, e.submitter);
  });

  // Keys: Enter sends, the digits pick as on a telephone, / searches, Escape goes back to the inbox.
  document.addEventListener('keydown', function (e) {
    if (e.isComposing || e.ctrlKey || e.altKey || e.metaKey) return;
    if (e.target.tagName === 'TEXTAREA') {
      if (e.key === 'Enter' && !e.shiftKey && !matchMedia('(pointer:coarse)').matches && /\/send$/.test(e.target.form.action)) {
        e.preventDefault();
        e.target.form.requestSubmit();
      }
      if (e.key === 'Escape') e.target.blur();
      return;
    }
    if (/^(INPUT|BUTTON|AUDIO)$/.test(e.target.tagName)) return;
    var link = null;
    if (/^[1-9]$/.test(e.key)) link = all('#list a.who')[e.key - 1];
    else if (e.key === '/') link = $('#links a[href$="/search"]');
    else if (e.key === 'Escape') link = $('#links a[href$="/inbox"]');
    if (link) { e.preventDefault(); link.click(); }
  });

  // Voice messages: the place is noted for the telephone, now and then and when the player stops.
  function follow(a) {
    if (a.dataset.followed) return;
    a.dataset.followed = 1;
    var noted = 0;
    function note(done) {
      var data = new URLSearchParams({ seq: a.dataset.seq, ms: Math.round(a.currentTime * 1000) });
      if (done) data.set('done', '1');
      noted = a.currentTime;
      fetch('/place', { method: 'POST', body: data, credentials: 'same-origin', keepalive: true }).catch(function () {});
    }
    a.addEventListener('timeupdate', function () { if (Math.abs(a.currentTime - noted) > 5) note(false); });
    a.addEventListener('pause', function () { if (!a.ended) note(false); if (late) refresh(); });
    a.addEventListener('ended', function () { note(true); if (late) refresh(); });
  }

  // Recording: whatever the browser records becomes 16 kHz, one channel, 16 bit.
  function wav(samples, rate) {
    var v = new DataView(new ArrayBuffer(44 + samples.length * 2));
    var word = function (at, s) { for (var i = 0; i < 4; i++) v.setUint8(at + i, s.charCodeAt(i)); };
    word(0, 'RIFF'); v.setUint32(4, 36 + samples.length * 2, true); word(8, 'WAVE'); word(12, 'fmt ');
    v.setUint32(16, 16, true); v.setUint16(20, 1, true); v.setUint16(22, 1, true);
    v.setUint32(24, rate, true); v.setUint32(28, rate * 2, true); v.setUint16(32, 2, true); v.setUint16(34, 16, true);
    word(36, 'data'); v.setUint32(40, samples.length * 2, true);
    samples.forEach(function (s, i) { v.setInt16(44 + i * 2, Math.max(-1, Math.min(1, s)) * 32767, true); });
    return new Blob([v.buffer], { type: 'audio/wav' });
  }
  function toWAV(blob) {
    var rate = 16000, context = new AudioContext();
    return blob.arrayBuffer()
      .then(function (b) { return context.decodeAudioData(b); })
      .then(function (sound) {
        context.close();
        var mix = new OfflineAudioContext(1, Math.max(1, Math.ceil(sound.duration * rate)), rate), source = mix.createBufferSource();
        source.buffer = sound; source.connect(mix.destination); source.start();
        return mix.startRendering();
      })
      .then(function (sound) { return wav(sound.getChannelData(0), rate); });
  }
  function recorder(form) {
    if ($('.voice', form) || !window.MediaRecorder || !navigator.mediaDevices) return;
    var row = make('p', '', 'voice'), b = make('button', 'Record a message', 'plain'), says = make('span');
    b.type = 'button';
    says.setAttribute('role', 'status');
    row.append(b, ' ', says);
    form.append(row);
    var machine = null, limit = 0;
    b.onclick = function () {
      if (machine) { machine.stop(); return; }
      navigator.mediaDevices.getUserMedia({ audio: true }).then(function (stream) {
        var chunks = [];
        machine = new MediaRecorder(stream);
        machine.ondataavailable = function (e) { chunks.push(e.data); };
        machine.onstop = function () {
          clearTimeout(limit);
          stream.getTracks().forEach(function (t) { t.stop(); });
          machine = null;
          b.textContent = 'Record again';
          toWAV(new Blob(chunks)).then(function (sound) { offer(form, row, says, sound); });
        };
        machine.start();
        limit = setTimeout(function () { machine.stop(); }, 175000);
        b.textContent = 'Stop';
        says.textContent = 'recording …';
      }).catch(function () { says.textContent = 'There is no microphone to be used here.'; });
    };
  }
  function offer(form, row, says, sound) {
    all('.offer').forEach(function (o) { o.remove(); });
    says.textContent = '';
    var o = make('span', '', 'offer'), play = make('audio'), go = make('button', 'Send it');
    play.controls = true; play.src = URL.createObjectURL(sound); go.type = 'button';
    go.onclick = function () {
      go.disabled = true;
      says.textContent = 'being sent …';
      fetch(form.dataset.voice + '?once=' + $('[name=once]', form).value + '&upto=' + $('[name=upto]', form).value, { method: 'POST', body: sound, headers: { 'Content-Type': 'audio/wav' }, credentials: 'same-origin' })
        .then(function (r) { if (r.status >= 500 || r.status === 429) throw r.status; return r.text(); })
        .then(function (html) { take(html, true); toEnd(); })
        .catch(function () { go.disabled = false; says.textContent = 'Not sent. Please try again.'; });
    };
    o.append(play, go);
    row.append(o);
  }

  function toEnd() {
    var last = $('#list').lastElementChild;
    if (last && $('form[data-answer]')) scrollTo(0, document.documentElement.scrollHeight);
  }
  function dress() {
    all('audio[data-seq]').forEach(function (a) { follow(a); voicePlayer(a); });
    all('form[data-voice]').forEach(recorder);
  }
  parts.forEach(function (q) { shown[q] = $(q).outerHTML; });
  dress();
  toEnd();
  if (matchMedia('(pointer:fine)').matches && $('form[data-answer] textarea')) $('form[data-answer] textarea').focus({ preventScroll: true });
  live();
  offerNotifications();
})();
