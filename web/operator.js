'use strict';
// The tables are renewed as soon as something has changed; without a script the page loads itself anew instead.
new EventSource('/admin/live').addEventListener('tables', function (e) {
  document.getElementById('tables').innerHTML = JSON.parse(e.data);
});
