//! Signing in and up, sessions, and the outcomes of their forms.

super::texts! {
    sign_in: "Sign in", "ログイン", "登录";
    login: "Username or email", "ユーザー名またはメールアドレス", "用户名或邮箱";
    password: "Password", "パスワード", "密码";
    new_here: "New here?", "初めてご利用ですか？", "还没有账号？";
    create: "Create an account", "アカウントを作成", "注册账号";
    create_button: "Create account", "アカウントを作成", "注册";
    have_account: "Have an account?", "アカウントをお持ちですか？", "已有账号？";
    username: "Username", "ユーザー名", "用户名";
    username_hint: "3 to 32 characters: a–z, 0–9, - and _. Others see it.", "a–z、0–9、-、_ を 3～32 文字。ほかの人にも表示されます。", "3 到 32 个字符：a–z、0–9、- 和 _。其他人可见。";
    email: "Email", "メールアドレス", "邮箱";
    password_hint: "At least 10 characters. A short sentence works well.", "10 文字以上。短い文章がおすすめです。", "至少 10 个字符，建议使用一个短句。";
    welcome_back(name): "Welcome back, {name}.", "おかえりなさい、{name} さん。", "欢迎回来，{name}。";
    welcome(name): "Welcome, {name}.", "ようこそ、{name} さん。", "欢迎，{name}。";
    signed_out: "You are signed out.", "ログアウトしました。", "已退出登录。";
    signed_out_everywhere: "You are signed out on every device.", "すべてのデバイスでログアウトしました。", "已在所有设备上退出登录。";
    device_signed_out: "That device is signed out.", "そのデバイスをログアウトしました。", "该设备已退出登录。";
    devices: "Signed-in devices", "ログイン中のデバイス", "已登录的设备";
    devices_text: "Sign out any device that you do not recognise.", "心当たりのないデバイスはログアウトしてください。", "请将不认识的设备退出登录。";
    sign_out: "Sign out", "ログアウト", "退出登录";
    sign_out_everywhere: "Sign out everywhere", "すべてログアウト", "全部退出登录";
    sign_out_everywhere_warning: "This signs out every device, including this one.", "このデバイスを含むすべてのデバイスでログアウトします。", "所有设备都将退出登录，包括本设备。";
    sign_out_everywhere_yes: "Yes, sign out everywhere", "すべてログアウトする", "确认全部退出";
    this_device: "this device", "このデバイス", "本设备";
    active: "active {}", "最終利用：{}", "最近活动：{}";
    signed_in: "signed in {}", "ログイン：{}", "登录于{}";
    browser_on(browser, system): "{browser} on {system}", "{browser}（{system}）", "{browser}（{system}）";
    a_program: "A program", "プログラム", "程序";
}
