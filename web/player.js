'use strict';
// The player of a voice message: its waveform, in which one goes back and forward. The sound is fetched once, when it is
// first played; where that is not possible the browser's own player stays.
var voicePlayer = (function () {
  var BARS = 48, cache = {};

  function peaks(sound) {
    var data = sound.getChannelData(0), step = Math.max(1, Math.floor(data.length / BARS)), all = [], top = 0.01;
    for (var i = 0; i < BARS; i++) {
      var most = 0;
      for (var k = i * step; k < Math.min((i + 1) * step, data.length); k += 8) most = Math.max(most, Math.abs(data[k]));
      all.push(most);
      top = Math.max(top, most);
    }
    return all.map(function (p) { return p / top; });
  }

  // load fetches and decodes a recording.
  function load(url) {
    if (!cache[url]) {
      cache[url] = fetch(url, { headers: { Accept: 'audio/*' } })
        .then(function (r) { if (!r.ok) throw r.status; return r.blob(); })
        .then(function (blob) {
          return blob.arrayBuffer()
            .then(function (bytes) { return new OfflineAudioContext(1, 1, 8000).decodeAudioData(bytes); })
            .then(function (sound) { return { url: URL.createObjectURL(blob), peaks: peaks(sound), seconds: sound.duration }; });
        });
      cache[url].catch(function () { delete cache[url]; });
    }
    return cache[url];
  }

  function clock(s) { return Math.floor(s / 60) + ':' + ('0' + Math.floor(s % 60)).slice(-2); }

  function draw(canvas, heights, share) {
    var style = getComputedStyle(canvas), w = canvas.width = canvas.clientWidth * devicePixelRatio, h = canvas.height = canvas.clientHeight * devicePixelRatio;
    var pen = canvas.getContext('2d'), wide = w / BARS, back = style.direction === 'rtl';
    for (var i = 0; i < BARS; i++) {
      var tall = Math.max(0.08, heights ? heights[i] : 0.2) * h;
      pen.fillStyle = i / BARS < share ? style.getPropertyValue('--key') : style.getPropertyValue('--soft');
      pen.globalAlpha = i / BARS < share ? 1 : 0.5;
      pen.fillRect((back ? BARS - 1 - i : i) * wide, (h - tall) / 2, wide * 0.6, tall);
    }
  }

  return function (audio) {
    if (!window.OfflineAudioContext || !window.fetch || audio.dataset.player) return;
    audio.dataset.player = 1;
    var parts = audio.getAttribute('src').split('#t='), at = Number(parts[1]) || 0, loaded = null;
    var said = /(\d+) s$/.exec(audio.getAttribute('aria-label'));
    var box = document.createElement('span'), play = document.createElement('button'), canvas = document.createElement('canvas');
    var seek = document.createElement('input'), time = document.createElement('small');
    box.className = 'player';
    play.type = 'button';
    seek.type = 'range'; seek.min = 0; seek.step = 'any';
    seek.max = said ? said[1] : 1;
    seek.value = at;
    seek.setAttribute('aria-label', audio.getAttribute('aria-label'));
    box.append(play, canvas, seek, time);
    audio.controls = false;
    audio.after(box);

    function show() {
      var long = loaded ? loaded.seconds : Number(seek.max), now = loaded ? audio.currentTime : at;
      play.textContent = audio.paused ? '▶' : '❚❚';
      play.setAttribute('aria-label', audio.paused ? 'Play' : 'Pause');
      time.textContent = clock(now || long);
      seek.setAttribute('aria-valuetext', clock(now) + ' of ' + clock(long));
      draw(canvas, loaded && loaded.peaks, now / long);
    }
    function start() {
      if (loaded) { audio.play(); return; }
      load(parts[0]).then(function (sound) {
        loaded = sound;
        seek.max = sound.seconds;
        audio.src = sound.url;
        audio.currentTime = at;
        audio.play();
      }).catch(function () {
        box.remove();
        audio.controls = true;
        audio.play();
      });
    }
    play.onclick = function () { if (audio.paused) start(); else audio.pause(); };
    seek.oninput = function () {
      if (loaded) audio.currentTime = seek.value; else at = Number(seek.value);
      show();
    };
    audio.addEventListener('timeupdate', function () { seek.value = audio.currentTime; show(); });
    audio.addEventListener('play', show);
    audio.addEventListener('pause', show);
    show();
  };
})();
